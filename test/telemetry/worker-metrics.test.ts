// That what several processes measured is read at one place, added up.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { callJson } from '../support/call-json.ts';
import { startProcess } from '../support/start-process.ts';
import { parseMetrics } from './parse-metrics.ts';

const TOKEN = 'operator-token-of-this-test';
const CALLS = 20;

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('The primary serves the metrics of all its workers', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-worker-metrics-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const port = await findFreePort();
  const server = await startProcess({
    CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
    CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN,
    CLAIMGATE_WORKERS: '2',
    CLAIMGATE_METRICS_PORT: String(port),
  });
  onTestFinished(async () => void (await server.end('SIGTERM')));
  for (let call = 0; call < CALLS; call += 1) {
    // A connection each, which the workers take in turn.
    const headers = { connection: 'close' };
    const rpc = 'IdentityService/GetAuthenticatedIdentity';
    expect((await callJson(server.url, rpc, {}, { token: TOKEN, headers })).status).toBe(200);
  }
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const families = parseMetrics(await response.text());
  const samples = families.get('claimgate_rpc_duration_seconds')?.samples ?? [];
  const count = samples.find(({ name }) => name.endsWith('_count'));
  expect(count).toMatchObject({
    labels: { method: 'gitpod.v1.IdentityService/GetAuthenticatedIdentity', code: 'ok' },
    value: CALLS,
  });
  expect(families.get('claimgate_build_info')?.samples).toMatchObject([{ value: 1 }]);
});
