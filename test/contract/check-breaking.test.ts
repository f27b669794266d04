/** Runs the check against a repository of its own, with buf and git as they are. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkBreaking } from '../../scripts/check-breaking.ts';

const project = join(import.meta.dirname, '..', '..');
const copy = mkdtempSync(join(tmpdir(), 'claimgate-contract-'));
const countProto = join(copy, 'proto', 'gitpod', 'v1', 'count.proto');
const original = readFileSync(join(project, 'proto', 'gitpod', 'v1', 'count.proto'), 'utf8');

beforeAll(() => {
  for (const name of ['proto', 'buf.yaml'])
    cpSync(join(project, name), join(copy, name), { recursive: true });
  git('init', '--quiet');
  commit('first');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('finds nothing where nothing changed, and compares with HEAD while there is no release', () => {
  expect(checkBreaking(copy)).toEqual({ ref: 'HEAD', findings: [] });
});

it('names the field that was taken away since the newest release, although HEAD has lost it too', () => {
  git('tag', 'v0.9.0');
  git('tag', 'v0.10.0');
  writeFileSync(countProto, original.replace('bool include = 1;', ''));
  commit('second');
  const { ref, findings } = checkBreaking(copy);
  expect(ref).toBe('v0.10.0');
  expect(findings).toEqual([
    expect.stringContaining('"include" on message "CountRequest" was deleted'),
  ]);
});

function git(...args: string[]): void {
  const settings = ['user.name=test', 'user.email=test@example.com', 'commit.gpgsign=false'];
  execFileSync('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], { cwd: copy });
}

function commit(message: string): void {
  git('add', 'proto', 'buf.yaml');
  git('commit', '--quiet', '--message', message);
}
