// What the server does when PostgreSQL is restarted, loses its connections or hangs: calls fail within 3 seconds as
// `unavailable`, nothing that was acknowledged is lost, and all is well again without a restart of ours.
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { startPostgresServer, STANDBY_NAME } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { callJson } from '../test/support/call-json.ts';
import type { JsonAnswer } from '../test/support/call-json.ts';
import { startProcess } from '../test/support/start-process.ts';
import type { StartedProcess } from '../test/support/start-process.ts';

const TOKEN = 'operator-token-of-this-test';
/** In milliseconds. */
const MOST_PATIENT = 3000;

let postgres: PostgresServer;
let database: string;
let server: StartedProcess;
let organizationId: string;

/** The server of ours, and what it needs. @param url of the database. */
async function startServer(url: string): Promise<void> {
  server = await startProcess({
    CLAIMGATE_DATABASE_URL: url,
    CLAIMGATE_ENCRYPTION_KEYS: `k:${randomBytes(32).toString('base64')}`,
    CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN,
    CLAIMGATE_LOG_LEVEL: 'silent',
  });
  const { body } = await call('IdentityService/GetAuthenticatedIdentity', {});
  organizationId = String(body['organizationId']);
}

beforeEach(async () => {
  postgres = await startPostgresServer();
  database = await postgres.createDatabase();
});
afterEach(async () => {
  const { exitCode } = await server.end('SIGTERM');
  await postgres.dispose();
  if (exitCode !== 0) throw new Error(`the server ended with ${exitCode}`);
});

const call = (rpc: string, body: object): Promise<JsonAnswer> =>
  callJson(server.url, rpc, body, { token: TOKEN });

interface Ledger {
  /** The last display name of each configuration that was acknowledged, and the last that was sent. */
  readonly names: Map<string, { acknowledged: number; sent: number }>;
  acknowledged: number;
  refused: number;
}

interface Load {
  readonly ledger: Ledger;
  /** Resolves when so many more writes have been acknowledged. */
  readonly reach: (more: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Every answer is 200, or 503 with a hint when to try again, and comes in time. */
async function callInTime(rpc: string, body: object): Promise<JsonAnswer> {
  const startedAt = performance.now();
  const answer = await call(rpc, body);
  expect(performance.now() - startedAt).toBeLessThan(MOST_PATIENT);
  if (answer.status !== 200) expectUnavailable(answer);
  return answer;
}

function expectUnavailable({ status, body, headers }: JsonAnswer): void {
  expect([status, body['code']]).toEqual([503, 'unavailable']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(headers.get('x-should-retry')).toBeNull();
}

function readConfigurationId({ body }: JsonAnswer): string {
  const made = body['ssoConfiguration'];
  return typeof made === 'object' && made !== null && 'id' in made ? String(made.id) : '';
}

/** Creates and updates from several clients, each waiting for its answers. */
function startLoad(clients: number): Load {
  const ledger: Ledger = { names: new Map(), acknowledged: 0, refused: 0 };
  const stopping = new AbortController();
  const note = ({ status }: JsonAnswer): boolean => {
    if (status === 200) ledger.acknowledged += 1;
    else ledger.refused += 1;
    return status === 200;
  };
  const write = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const created = await callInTime('OrganizationService/CreateSSOConfiguration', {
        organizationId,
        clientId: randomBytes(8).toString('hex'),
        clientSecret: 'hush',
        issuerUrl: 'https://idp.example.com',
        displayName: '0',
      });
      if (!note(created)) {
        await setTimeout(20);
        continue;
      }
      const id = readConfigurationId(created);
      const entry = { acknowledged: 0, sent: 0 };
      ledger.names.set(id, entry);
      for (let value = 1; value <= 3; value += 1) {
        entry.sent = value;
        const updated = await callInTime('OrganizationService/UpdateSSOConfiguration', {
          ssoConfigurationId: id,
          displayName: String(value),
        });
        if (note(updated)) entry.acknowledged = value;
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, write));
  return {
    ledger,
    async reach(more) {
      const goal = ledger.acknowledged + more;
      const isReached = async (): Promise<void> => {
        while (ledger.acknowledged < goal) await setTimeout(5);
      };
      await Promise.race([isReached(), running]);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function expectNothingLost({ names }: Ledger): Promise<void> {
  expect(names.size).toBeGreaterThan(20);
  const query = 'select id, display_name from sso_configuration';
  const rows = await postgres.run(query, database);
  const stored = new Map(rows.map(({ id, display_name }) => [String(id), Number(display_name)]));
  for (const [id, { acknowledged, sent }] of names) {
    const value = stored.get(id);
    expect(value).toBeGreaterThanOrEqual(acknowledged);
    expect(value).toBeLessThanOrEqual(sent);
  }
}

async function readReadiness(): Promise<number> {
  const startedAt = performance.now();
  const { status } = await fetch(`${server.url}/readyz`);
  expect(performance.now() - startedAt).toBeLessThan(MOST_PATIENT);
  return status;
}

describe('PostgreSQL', () => {
  test('restarted at once, again and again, while clients write', async () => {
    await startServer(postgres.createUrl(database));
    const load = startLoad(6);
    for (let round = 0; round < 4; round += 1) {
      await load.reach(60);
      await postgres.stop('immediate');
      expect(await readReadiness()).toBe(503);
      expectUnavailable(await callInTime('IdentityService/GetAuthenticatedIdentity', {}));
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      await postgres.start();
      await expect.poll(readReadiness, { timeout: 10_000 }).toBe(200);
    }
    await load.reach(60);
    await load.stop();
    expect(load.ledger.refused).toBeGreaterThan(0);
    await expectNothingLost(load.ledger);
  });

  test('whose connections are killed while clients write: hardly a call notices', async () => {
    await startServer(postgres.createUrl(database));
    const load = startLoad(6);
    for (let round = 0; round < 10; round += 1) {
      await load.reach(30);
      await postgres.run(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claimgate'`,
      );
    }
    await load.reach(60);
    await load.stop();
    // Only those that were being committed cannot be done again.
    expect(load.ledger.refused).toBeLessThan(load.ledger.acknowledged / 10);
    expect(await readReadiness()).toBe(200);
    await expectNothingLost(load.ledger);
  });

  test('stopped as it stands: calls fail in time, and go on when it does', async () => {
    await startServer(postgres.createUrl(database));
    const load = startLoad(6);
    for (let round = 0; round < 2; round += 1) {
      await load.reach(60);
      await postgres.signalAll('SIGSTOP');
      const calls = Array.from({ length: 30 }, () =>
        callInTime('IdentityService/GetAuthenticatedIdentity', {}),
      );
      expect(await readReadiness()).toBe(503);
      for (const answer of await Promise.all(calls)) expectUnavailable(answer);
      await postgres.signalAll('SIGCONT');
      await expect.poll(readReadiness, { timeout: 10_000 }).toBe(200);
    }
    await load.reach(60);
    await load.stop();
    await expectNothingLost(load.ledger);
  });
});

describe('A standby that keeps every commit', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;

  beforeEach(async () => {
    primary = postgres;
    await primary.stop('fast');
    standby = await startPostgresServer({}, primary);
    await primary.start({ synchronous_standby_names: STANDBY_NAME });
    return () => primary.dispose();
  });

  const createUrl = (): string =>
    primary
      .createUrl(database)
      .replace(`:${primary.port}/`, `:${primary.port},127.0.0.1:${standby.port}/`);

  test.each<[string, () => Promise<void>]>([
    ['dies', () => primary.stop('immediate')],
    ['hangs', () => primary.signalAll('SIGSTOP')],
  ])('takes over from a primary that %s while clients write', async (_, fail) => {
    await startServer(createUrl());
    const load = startLoad(6);
    await load.reach(100);
    await fail();
    await setTimeout(300);
    postgres = standby;
    await standby.run('select pg_promote()');
    await load.reach(100);
    expect(await readReadiness()).toBe(200);
    await load.stop();
    expect(load.ledger.refused).toBeGreaterThan(0);
    await expectNothingLost(load.ledger);
  });

  test('is waited for: while it hangs, nothing is acknowledged, not even what an operator cancels', async () => {
    await startServer(createUrl());
    const load = startLoad(6);
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
    await load.reach(100);
    await load.stop();
    await standby.dispose();
    await expectNothingLost(load.ledger);
  });
});
