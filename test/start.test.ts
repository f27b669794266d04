// What a start that goes wrong must not cost.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { parseConfig } from '../src/config.ts';
import { createLogger } from '../src/log.ts';
import { startServer } from '../src/main.ts';
import { describeDatabase } from '../src/open-store.ts';
import { describeStart } from '../src/start-message.ts';

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

test.each([
  ['CLAIMGATE_TLS_CERT', 'no-such-cert.pem', 'test-only-key.pem'],
  ['CLAIMGATE_TLS_KEY', 'test-only-cert.pem', 'no-such-key.pem'],
  ['CLAIMGATE_TLS_CERT', 'README.md', 'test-only-key.pem'],
  ['CLAIMGATE_TLS_KEY', 'test-only-cert.pem', 'README.md'],
])('a mistake in %s is told with its name and its file', async (variable, cert, key) => {
  const folder = join(import.meta.dirname, 'data', 'tls');
  const config = parseConfig({
    CLAIMGATE_TLS_CERT: join(folder, cert),
    CLAIMGATE_TLS_KEY: join(folder, key),
  });
  const started = startServer(config, createLogger('silent'));
  await expect(started).rejects.toThrow(variable);
  await expect(started).rejects.toThrow(join(folder, variable.endsWith('CERT') ? cert : key));
});

test('a key of another certificate is told by both variables', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = join(folder, 'other.pem');
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const config = parseConfig({
    CLAIMGATE_TLS_CERT: join(import.meta.dirname, 'data', 'tls', 'test-only-cert.pem'),
    CLAIMGATE_TLS_KEY: keyFile,
  });
  await expect(startServer(config, createLogger('silent'))).rejects.toThrow(
    /CLAIMGATE_TLS_KEY.*is not the key.*CLAIMGATE_TLS_CERT/,
  );
});

test('the start tells where the data is, and no password', () => {
  const database = describeDatabase({ kind: 'postgres', url: 'postgres://me:secret@db/claimgate' });
  const message = describeStart({ url: 'u', bootstrapped: undefined }, { isTls: false, database });
  expect(message).toBe('Claimgate listens at u\nIts data is in postgres://db:5432/claimgate\n');
});
