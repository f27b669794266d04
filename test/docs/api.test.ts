import { afterAll, beforeAll, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { expectShown } from './compare-output.ts';
import { findExamples, readDocument } from './read-examples.ts';
import { openShell } from './run-examples.ts';
import type { Shell } from './run-examples.ts';

const EXAMPLES = findExamples(await readDocument('docs/api.md'));

let server: StartedClaimgate;
let shell: Shell;

beforeAll(async () => {
  server = await startClaimgate();
  shell = await openShell();
});

afterAll(async () => {
  await shell.stop();
  await server.stop();
});

test.each(EXAMPLES)(
  'The example of docs/api.md in line $line works as it is written',
  async (example) => {
    const code = example.code
      .replaceAll('the token that the start printed', server.token)
      .replaceAll('http://127.0.0.1:8080', server.url);
    expectShown(await shell.run(code), example);
  },
);
