// What docs/operations.md says to do works, as far as one machine can tell.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { runInProcess } from '../cli/run-claimgate.ts';
import { callJson } from '../support/call-json.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import { readDocument } from './read-examples.ts';

const text = await readDocument('docs/operations.md');

test('The recipe for a lost operator’s token makes one that works at once', async () => {
  const claimgate = await startClaimgate();
  onTestFinished(() => claimgate.stop());
  const [, recipe = ''] = /```sh\n(TOKEN=[^]*?)```/.exec(text) ?? [];
  const { folder, url } = claimgate;
  const token = execFileSync('sh', ['-c', recipe], { cwd: folder, encoding: 'utf8' }).trim();
  // In another process: one that opens and closes a database file loses its own locks on it.
  execFileSync(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--eval',
    `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec(process.argv[2])`,
    join(folder, 'claimgate.db'),
    readFileSync(join(folder, 'recover.sql'), 'utf8'),
  ]);
  const request = { name: 'made by who had lost the token' };
  const answer = await callJson(url, 'OrganizationService/CreateOrganization', request, { token });
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(request.name)]);
});

const COMMANDS = new Set(
  [...text.matchAll(/claimgate ((?:[a-z]+)(?: [a-z]+(?:-[a-z]+)?)?)((?: [^`\n]*)?)(?=`|\n)/g)].map(
    ([, words = '', rest = '']) => [words, ...(rest.match(/--[a-z-]+/g) ?? [])].join(' '),
  ),
);

test.each([...COMMANDS])('There is claimgate %s', async (command) => {
  const words = command.split(' ').filter((word) => !word.startsWith('--'));
  const { stdout } = await runInProcess([...words, '--help']);
  expect(stdout).toContain(`Usage: claimgate ${words.join(' ')}`);
  for (const option of command.match(/--[a-z-]+/g) ?? []) expect(stdout).toContain(option);
});
