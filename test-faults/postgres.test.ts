// What the server does when PostgreSQL is restarted, loses its connections or hangs: calls fail within 3 seconds as
// `unavailable`, nothing that was acknowledged is lost, and all is well again without a restart of ours.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { startPostgresServer } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { expectUnavailable, startServerUnderTest } from './server-under-test.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { expectNothingLost, readStoredNames, startWriteLoad } from './write-load.ts';
import type { WriteLoad } from './write-load.ts';

let postgres: PostgresServer;
let server: ServerUnderTest;

beforeEach(async () => {
  postgres = await startPostgresServer();
  server = await startServerUnderTest(postgres.createUrl(await postgres.createDatabase()));
});
afterEach(async () => {
  const { exitCode } = await server.end('SIGTERM');
  await postgres.dispose();
  if (exitCode !== 0) throw new Error(`the server ended with ${exitCode}`);
});

function startLoad(): WriteLoad {
  const { organizationId, callInTime: send } = server;
  return startWriteLoad({ clients: 6, organizationId, send });
}

/** What `/readyz` says may be a second old. */
async function expectUnready(): Promise<void> {
  await expect.poll(server.readReadiness, { timeout: 3000 }).toBe(503);
}

async function settle(load: WriteLoad): Promise<void> {
  await load.reach(60);
  await load.stop();
  expectNothingLost(load.ledger, await readStoredNames(server));
}

describe('PostgreSQL', () => {
  test.each(['fast', 'immediate'] as const)(
    'restarted (%s) again and again while clients write',
    async (mode) => {
      const load = startLoad();
      for (let round = 0; round < 3; round += 1) {
        await load.reach(60);
        await postgres.stop(mode);
        await expectUnready();
        expectUnavailable(await server.callInTime('IdentityService/GetAuthenticatedIdentity', {}));
        expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
        await postgres.start();
        await expect.poll(server.readReadiness, { timeout: 10_000 }).toBe(200);
      }
      await settle(load);
      expect(load.ledger.refused).toBeGreaterThan(0);
    },
  );

  test('whose connections are killed while clients write: hardly a call notices', async () => {
    const load = startLoad();
    for (let round = 0; round < 10; round += 1) {
      await load.reach(30);
      await postgres.run(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claimgate'`,
      );
    }
    await settle(load);
    // Only those that were being committed cannot be done again.
    expect(load.ledger.refused).toBeLessThan(load.ledger.acknowledged / 10);
    expect(await server.readReadiness()).toBe(200);
  });

  test('stopped as it stands: calls fail in time, and go on when it does', async () => {
    const load = startLoad();
    for (let round = 0; round < 2; round += 1) {
      await load.reach(60);
      await postgres.signalAll('SIGSTOP');
      const calls = Array.from({ length: 30 }, () =>
        server.callInTime('IdentityService/GetAuthenticatedIdentity', {}),
      );
      await expectUnready();
      for (const answer of await Promise.all(calls)) expectUnavailable(answer);
      await postgres.signalAll('SIGCONT');
      await expect.poll(server.readReadiness, { timeout: 10_000 }).toBe(200);
    }
    await settle(load);
  });
});
