import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { variableNames } from '../../src/config.ts';
import { runClaimgate, spawnClaimgate } from './run-claimgate.ts';

test('The help of serve names every variable of the server, and no other', async () => {
  const { stdout } = await runClaimgate(['serve', '--help']);
  const told = [...stdout.matchAll(/^ {2}(CLAIMGATE_[A-Z_]+) /gm)].map(([, name]) => name);
  expect(new Set(told)).toEqual(new Set(variableNames));
});

test('serve takes its settings from the environment, says where it listens, and ends on SIGTERM with 0', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-serve-'));
  const token = 'operator-token-of-serve-test';
  const server = spawnClaimgate(['serve'], {
    cwd: folder,
    env: { CLAIMGATE_PORT: '0', CLAIMGATE_BOOTSTRAP_TOKEN: token, CLAIMGATE_LOG_LEVEL: 'silent' },
  });
  const closed = once(server, 'close');
  try {
    let printed = '';
    const lines = server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false });
    for await (const chunk of lines) {
      printed += String(chunk);
      if (/http:\/\/127\.0\.0\.1:\d+/.test(printed)) break;
    }
    server.stdout.resume();
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
    const env = { CLAIMGATE_URL: url, CLAIMGATE_TOKEN: token };
    expect((await runClaimgate(['org', 'get'], { env })).exitCode).toBe(0);
    server.kill('SIGTERM');
    await closed;
    expect(server.exitCode).toBe(0);
  } finally {
    server.kill('SIGKILL');
    await closed;
    await rm(folder, { recursive: true, force: true });
  }
});

test('serve refuses settings that it does not know, with 2', async () => {
  const finished = await runClaimgate(['serve'], {
    env: { CLAIMGATE_PROT: '1', CLAIMGATE_PORT: 'x' },
  });
  expect(finished).toMatchObject({ exitCode: 2, stdout: '' });
  expect(finished.stderr).toContain('CLAIMGATE_PROT');
  expect(finished.stderr).toContain('CLAIMGATE_PORT');
});
