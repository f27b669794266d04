// That a store which reads, and whose commits hang, is told to balancers by both doors, and its recovery too.
import { randomBytes } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../gen/grpc/health/v1/health_pb.ts';
import { startPostgresServer } from './store/postgres-server.ts';
import type { PostgresServer } from './store/postgres-server.ts';
import { callJson } from './support/call-json.ts';
import { startClaimgate } from './support/start-claimgate.ts';
import type { StartedClaimgate } from './support/start-claimgate.ts';

let postgres: PostgresServer;
let claimgate: StartedClaimgate;

beforeAll(async () => {
  postgres = await startPostgresServer();
  claimgate = await startClaimgate({
    CLAIMGATE_DATABASE_URL: postgres.createUrl(await postgres.createDatabase()),
    CLAIMGATE_ENCRYPTION_KEYS: `k:${randomBytes(32).toString('base64')}`,
  });
});

afterAll(async () => {
  await claimgate.stop();
  await postgres.dispose();
});

/** Commits wait for a standby that is not there, and everything else goes on. */
async function setStandby(name: string): Promise<void> {
  await postgres.run(`alter system set synchronous_standby_names = '${name}'`);
  await postgres.run('select pg_reload_conf()');
}

async function waitUntilReady(status: number): Promise<unknown> {
  for (;;) {
    const response = await fetch(`${claimgate.url}/readyz`);
    const body: unknown = await response.json();
    if (response.status === status) return body;
  }
}

test('a store that reads and does not commit makes the server unready until it does', async () => {
  const client = createClient(Health, createGrpcTransport({ baseUrl: claimgate.url }));
  const ended = new AbortController();
  const watch = client.watch({}, { signal: ended.signal })[Symbol.asyncIterator]();
  const watched = async (): Promise<Status | undefined> => (await watch.next()).value?.status;
  expect(await watched()).toBe(Status.SERVING);

  await setStandby('nobody');
  expect(await watched()).toBe(Status.NOT_SERVING);
  expect(await waitUntilReady(503)).toEqual({
    status: 'unavailable',
    reason: 'The store takes no writes.',
  });
  expect((await client.check({})).status).toBe(Status.NOT_SERVING);
  const { token } = claimgate;
  const read = await callJson(claimgate.url, 'UserService/GetAuthenticatedUser', {}, { token });
  expect(read.status).toBe(200);

  await setStandby('');
  expect(await watched()).toBe(Status.SERVING);
  expect(await waitUntilReady(200)).toEqual({ status: 'ok' });
  ended.abort();
});
