// What a start that goes wrong must not cost.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { parseConfig } from '../src/config.ts';
import { createLogger } from '../src/log.ts';
import { startServer } from '../src/main.ts';

async function prepareStart() {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const start = (port: number) =>
    startServer(
      parseConfig({
        CLAIMGATE_PORT: String(port),
        CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
      }),
      createLogger('silent'),
    );
  return { folder, start };
}

test('a start that finds its port taken makes no token that nobody is told', async () => {
  const { start } = await prepareStart();
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  await expect(start((other.address() as AddressInfo).port)).rejects.toThrow('EADDRINUSE');
  other.close();
  const server = await start(0);
  await server.stop();
  expect(server.bootstrapped?.generatedToken).toMatch(/^cgpat_/);
});

test('a database whose key file is gone is not given another', async () => {
  const { folder, start } = await prepareStart();
  await (await start(0)).stop();
  await rm(join(folder, 'claimgate.key'));
  await expect(start(0)).rejects.toThrow('claimgate.key');
  await expect(start(0)).rejects.toThrow('CLAIMGATE_ENCRYPTION_KEYS');
});

test('the first key is published before the first token', async () => {
  const { start } = await prepareStart();
  const server = await start(0);
  const response = await fetch(`${server.url}/.well-known/jwks.json`);
  const { keys } = await response.json();
  await server.stop();
  expect(keys).toHaveLength(1);
});
