// docs/clients.md, as far as it needs no other toolchain: `npm run test:examples` runs the rest of it.
import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { expectShown } from './compare-output.ts';
import { findBlocks, findExamples, readDocument, ROOT } from './read-examples.ts';
import { openShell, runProgram } from './run-examples.ts';
import type { Shell } from './run-examples.ts';

const PAGE = await readDocument('docs/clients.md');

/** The programs of the other languages, each shown in part. */
const PROGRAMS: readonly (readonly [language: string, path: string])[] = [
  ['ts', 'examples/browser/manage-sso.ts'],
  ['go', 'examples/go/main.go'],
  ['python', 'examples/python/manage_sso.py'],
  ['java', 'examples/java/src/main/java/com/example/ManageSso.java'],
  ['rust', 'examples/rust/src/main.rs'],
  ['python', 'examples/gitpod-sdk/manage_sso.py'],
];

const SHOWN = await Promise.all(
  PROGRAMS.map(async ([, path]) => readRegion(await readFile(ROOT + path, 'utf8'), 'first-call')),
);
const EXAMPLES = findExamples(PAGE).filter(({ code }) => !SHOWN.includes(code));

let server: StartedClaimgate;

beforeAll(async () => {
  server = await startClaimgate();
});

afterAll(() => server.stop());

describe('The shell examples', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await openShell();
  });
  afterAll(() => shell.stop());

  test.each(EXAMPLES.filter(({ language }) => language === 'sh'))(
    'line $line works as it is written',
    async (example) => {
      const code = example.code
        .replaceAll('the token that the start printed', server.token)
        .replaceAll('http://127.0.0.1:8080', server.url);
      expectShown(await shell.run(code), example);
    },
  );
});

test.each(EXAMPLES.filter(({ language }) => language === 'ts'))(
  'The TypeScript example of line $line works as it is written',
  async (example) => {
    const environment = { CLAIMGATE_URL: server.url, CLAIMGATE_TOKEN: server.token };
    const [output = ''] = await runProgram([example.code], environment);
    expectShown(output, example);
  },
  60_000,
);

test.each(PROGRAMS.map(([language, path], index) => ({ language, path, shown: SHOWN[index] })))(
  'The page shows the first call of $path as it is there',
  ({ language, shown }) => {
    const shownInPage = findBlocks(PAGE).filter((block) => block.language === language);
    expect(shownInPage.map(({ code }) => code)).toContain(shown);
  },
);

test("The browser's example names the versions that the project has, by which it is tried here", async () => {
  const { packages } = JSON.parse(await readDocument('package-lock.json')) as {
    packages: Readonly<Record<string, { version: string }>>;
  };
  const example = JSON.parse(await readDocument('examples/browser/package.json')) as Package;
  const { dependencies, devDependencies } = example;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version]);
  }
});

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** What is between the lines `region <name>` and `endregion`, without what it is indented by. */
function readRegion(program: string, name: string): string {
  const [, text = ''] =
    new RegExp(`^ *(?://|#) region ${name}\\n(.*?)\\n *(?://|#) endregion$`, 'ms').exec(
      program.replaceAll('\t', '    '),
    ) ?? [];
  const indents = text.split('\n').flatMap((line) => (/^ *(?=\S)/.exec(line) ?? []).map(String));
  const indent = Math.min(...indents.map(({ length }) => length));
  return text.replaceAll(new RegExp(`^ {${indent}}`, 'gm'), '');
}
