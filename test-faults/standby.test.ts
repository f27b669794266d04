// What the server does when a primary with a synchronous standby dies or hangs, and when it is the standby that hangs, so
// that nothing can be committed: nothing that was acknowledged is lost, and readiness tells.
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../gen/grpc/health/v1/health_pb.ts';
import { startPostgresServer, STANDBY_NAME } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { startServerUnderTest } from './server-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { expectNothingLost, readStoredNames, startWriteLoad } from './write-load.ts';
import type { WriteLoad } from './write-load.ts';

let primary: PostgresServer;
let standby: PostgresServer;
let server: ServerUnderTest;

beforeEach(async () => {
  primary = await startPostgresServer();
  const database = await primary.createDatabase();
  await primary.stop('fast');
  standby = await startPostgresServer({}, primary);
  await primary.start({ synchronous_standby_names: STANDBY_NAME });
  const url = primary.createUrl(database);
  const both = url.replace(`:${primary.port}/`, `:${primary.port},127.0.0.1:${standby.port}/`);
  server = await startServerUnderTest(both);
});
afterEach(async () => {
  const { exitCode } = await server.end('SIGTERM');
  await Promise.all([primary.dispose(), standby.dispose()]);
  if (exitCode !== 0) throw new Error(`the server ended with ${exitCode}`);
});

function startLoad(): WriteLoad {
  const { organizationId, callInTime: send } = server;
  return startWriteLoad({ clients: 6, organizationId, send });
}

async function settle(load: WriteLoad): Promise<void> {
  await load.reach(100);
  await load.stop();
  expectNothingLost(load.ledger, await readStoredNames(server));
}

async function readGrpcHealth(): Promise<Status> {
  const transport = createGrpcTransport({ baseUrl: server.url, idleConnectionTimeoutMs: 50 });
  const { status } = await createClient(Health, transport).check({});
  return status;
}

describe('A standby that keeps every commit', () => {
  test.each<[string, () => Promise<void>]>([
    ['dies', () => primary.stop('immediate')],
    ['hangs', () => primary.signalAll('SIGSTOP')],
  ])('takes over from a primary that %s while clients write', async (_, fail) => {
    const load = startLoad();
    await load.reach(100);
    await fail();
    await setTimeout(300);
    await standby.run('select pg_promote()');
    await settle(load);
    expect(await server.readReadiness()).toBe(200);
    expect(load.ledger.refused).toBeGreaterThan(0);
  });

  test('is waited for: while it hangs, nothing is acknowledged, not even what an operator cancels', async () => {
    const load = startLoad();
    await load.reach(100);
    await standby.signalAll('SIGSTOP');
    await setTimeout(100);
    const { acknowledged } = load.ledger;
    for (let round = 0; round < 30; round += 1) {
      await setTimeout(200);
      // Such a commit ends with a warning, as if it were done.
      await primary.run(
        `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`,
      );
    }
    expect(load.ledger.acknowledged).toBeLessThanOrEqual(acknowledged);
    await standby.signalAll('SIGCONT');
    await settle(load);
  });

  test('that hangs, so that commits alone do: the server says that it is not ready, until they end', async () => {
    expect(await server.readReadiness()).toBe(200);
    expect(await readGrpcHealth()).toBe(Status.SERVING);
    await standby.signalAll('SIGSTOP');
    await expect.poll(server.readReadiness, { timeout: 10_000 }).toBe(503);
    expect(await readGrpcHealth()).toBe(Status.NOT_SERVING);
    // Reading needs no commit.
    const read = await server.call('IdentityService/GetAuthenticatedIdentity', {});
    expect(read.status).toBe(200);
    await standby.signalAll('SIGCONT');
    await expect.poll(server.readReadiness, { timeout: 10_000 }).toBe(200);
    expect(await readGrpcHealth()).toBe(Status.SERVING);
  });
});
