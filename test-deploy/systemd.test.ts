// The systemd unit, by the judgement of systemd itself.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

/** What the best-guarded services of a distribution come to, of 10. */
const MOST_EXPOSED = 1.5;

async function writeUnit(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-systemd-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'claimgate.service');
  const unit = readFileSync('deploy/claimgate.service', 'utf8');
  // Where this machine has Node.
  writeFileSync(file, unit.replace('/usr/bin/node', process.execPath));
  return file;
}

test('is understood, to the last line', async () => {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', await writeUnit()], {
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});

test('keeps the program to what it needs', async () => {
  const file = await writeUnit();
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', file], {
    encoding: 'utf8',
  });
  const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(MOST_EXPOSED);
});
