import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/domain/ports.ts';
import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import type { KnownMigration } from '../../src/store/migrations/known-migrations.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import type { PostgresStore } from '../../src/store/postgres.ts';
import { StoreOpenError } from '../../src/store/store-open-error.ts';
import { startPostgresServer } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';
import { TEST_KEYRING } from './sqlite-files.ts';
import { STEPS_EACH } from './store-child.ts';
import {
  insertOrganization,
  insertUsers,
  makeDigest,
  makeOrganization,
  makeSsoConfiguration,
  makeToken,
  makeUser,
} from './store-fixtures.ts';

let server: PostgresServer;
let database: string;
beforeAll(async () => {
  server = await startPostgresServer();
});
beforeEach(async () => {
  database = await server.createDatabase();
  return () => server.dropDatabase(database);
});
afterAll(() => server.dispose());

async function openStore(
  given: Partial<Parameters<typeof openPostgresStore>[0]> = {},
): Promise<PostgresStore> {
  const store = await openPostgresStore({
    url: server.createUrl(database),
    keyring: TEST_KEYRING,
    waitMs: 0,
    ...given,
  });
  onTestFinished(() => store.close());
  return store;
}

async function runChild(what: string): Promise<{ code: number | null; output: string }> {
  const script = join(import.meta.dirname, 'postgres-child.ts');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, what, server.createUrl(database)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code: child.exitCode, output };
}

/** A connection of the test's own, within a transaction. */
async function beginElsewhere(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.createUrl(database) });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  return client;
}

const UNAVAILABLE = {
  name: 'DomainError',
  code: 'unavailable',
  retryAfterMs: expect.any(Number),
};

describe('opening a PostgreSQL database', () => {
  test('by several processes at the same time migrates it once', async () => {
    const children = await Promise.all(Array.from({ length: 3 }, () => runChild('open')));
    for (const child of children) expect(child).toEqual({ code: 0, output: 'done\n' });
    const rows = await server.run('select name from schema_migration order by name', database);
    expect(rows.map(({ name }) => name)).toEqual(KNOWN_MIGRATIONS.map(({ name }) => name));
  });

  test('several times at the same time in one process works', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore()));
    const [first, ...others] = stores;
    const { id } = await insertOrganization(first as Store);
    for (const other of others) expect(await other.findOrganization(id)).toMatchObject({ id });
  });

  test('gives each connection what keeps an acknowledged write', async () => {
    await server.run(`alter database ${database} set synchronous_commit = off`);
    const store = await openStore();
    const triggered = `
      create table seen (value text);
      create function see() returns trigger language plpgsql as $$ begin
        insert into seen values (current_setting('synchronous_commit')
          || ', ' || current_setting('transaction_isolation'));
        return null; end $$;
      create trigger see after insert on organization execute function see()`;
    await server.run(triggered, database);
    await insertOrganization(store);
    expect(await server.run('select value from seen', database)).toEqual([
      { value: 'on, read committed' },
    ]);
  });

  test('of other processes counts up together with them', async () => {
    const store = await openStore();
    const { id } = await insertOrganization(store);
    const counter = makeSsoConfiguration(id, { id: 'counter' });
    await store.transaction((tx) => tx.insertSsoConfiguration(counter, 'secret'));
    const children = await Promise.all([runChild('count'), runChild('count')]);
    for (const child of children) expect(child).toEqual({ code: 0, output: 'done\n' });
    expect(await store.findSsoConfiguration('counter')).toMatchObject({
      revision: 1 + 2 * STEPS_EACH,
    });
  });
});

describe('a PostgreSQL database is refused, with its address, the cause and what to do, when', () => {
  const replace = (part: string | RegExp, by: string): string =>
    server.createUrl(database).replace(part, by);

  test.each<[string, () => string | Promise<string>, string, string]>([
    [
      'no server is there',
      () => replace(/:\d+\//, ':1/'),
      'no server answers',
      'CLAIMGATE_DATABASE_URL',
    ],
    ['it is not there', () => replace(/\w+$/, 'nothing'), 'does not have it', 'CREATE DATABASE'],
    [
      'the password is wrong',
      () => replace(/:[^:@]+@/, ':canary@'),
      'does not let the user in',
      'Check user and password',
    ],
    [
      'the server has no TLS',
      () => `${server.createUrl(database)}?sslmode=require`,
      'does not speak TLS',
      'sslmode=disable',
    ],
    [
      'a file with certificates is not there',
      () => `${server.createUrl(database)}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`,
      'cannot be read',
      'Check the files',
    ],
    [
      'it takes no writes',
      async () => {
        await server.run(`alter database ${database} set default_transaction_read_only = on`);
        return server.createUrl(database);
      },
      'takes no writes',
      'Name the primary',
    ],
    [
      'it belongs to another program',
      async () => {
        await server.run('create table session (theirs text)', database);
        return server.createUrl(database);
      },
      'another program',
      'a database of its own',
    ],
    [
      'the user may not make tables',
      async () => {
        await server.run(`create role ${database} login password 'canary'`);
        return replace(/\/\/.*@/, `//${database}:canary@`);
      },
      'may not do what is needed',
      'owner',
    ],
    [
      'it cannot hold all of Unicode',
      async () => {
        await server.dropDatabase(database);
        await server.run(
          `create database ${database} template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'`,
        );
        return server.createUrl(database);
      },
      'SQL_ASCII',
      'ENCODING UTF8',
    ],
  ])('%s', async (_, prepare, cause, advice) => {
    const opening = openStore({ url: await prepare() });
    await expect(opening).rejects.toBeInstanceOf(StoreOpenError);
    const error = await opening.catch((error: unknown) => error as StoreOpenError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Cannot open the database postgres:\/\/127\.0\.0\.1:\d+\//),
    });
    expect(error).toMatchObject({ message: expect.stringContaining(cause) });
    expect(error).toMatchObject({ message: expect.stringContaining(advice) });
    // Neither in the message nor in what a log would print of the cause.
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|pass:word|pass%3A/);
  });
});

describe('migrations', () => {
  const later: KnownMigration = {
    name: '9999-later',
    up: async (db) => {
      await sql`create table later (id text)`.execute(db);
    },
  };
  const listTables = async (name: string): Promise<unknown> =>
    server.run(`select tablename from pg_tables where tablename = '${name}'`, database);

  test('run on an older schema, and keep what is in it', async () => {
    const { id } = await insertOrganization(await openStore());
    const store = await openStore({ migrations: [...KNOWN_MIGRATIONS, later] });
    expect(await store.findOrganization(id)).toMatchObject({ id });
    expect(await listTables('later')).toHaveLength(1);
  });

  test('of a newer version are refused, with advice', async () => {
    await openStore({ migrations: [...KNOWN_MIGRATIONS, later] });
    const opening = openStore();
    await expect(opening).rejects.toBeInstanceOf(StoreOpenError);
    await expect(opening).rejects.toThrow('newer version of this program');
    await expect(opening).rejects.toThrow('9999-later');
    await expect(opening).rejects.toThrow('restore a backup from before the upgrade');
  });

  test('killed midway leave nothing behind', async () => {
    const { id } = await insertOrganization(await openStore());
    expect(await runChild('migrate-and-die')).toEqual({ code: null, output: '' });
    const store = await openStore();
    expect(await store.findOrganization(id)).toMatchObject({ id });
    expect(await listTables('half_done')).toEqual([]);
  });

  test('keep the text of every table in the order of its bytes', async () => {
    await openStore();
    const rows = await server.run(
      `select table_name, column_name from information_schema.columns
       where table_schema = 'public' and data_type = 'text' and collation_name is distinct from 'C'`,
      database,
    );
    expect(rows).toEqual([]);
  });
});

describe('transactions', () => {
  test('that end up in a deadlock are run again', async () => {
    const store = await openStore();
    const [one, two] = [await insertOrganization(store), await insertOrganization(store)];
    let runs = 0;
    const bothReady = Promise.withResolvers<void>();
    const lockBoth = (first: string, second: string) =>
      store.transaction(async (tx) => {
        await tx.lockOrganization(first);
        runs += 1;
        if (runs === 2) bothReady.resolve();
        await bothReady.promise;
        await tx.lockOrganization(second);
      });
    await Promise.all([lockBoth(one.id, two.id), lockBoth(two.id, one.id)]);
    expect(runs).toBe(3);
  });

  test('that wait for a lock too long are unavailable with a hint, and reading goes on', async () => {
    const store = await openStore();
    const organization = await insertOrganization(store);
    const other = await beginElsewhere();
    await other.query('select 1 from organization for update');
    const waiting = store.transaction((tx) => tx.lockOrganization(organization.id));
    expect(await store.findOrganization(organization.id)).toEqual(organization);
    await expect(waiting).rejects.toMatchObject(UNAVAILABLE);
    await other.query('rollback');
    await store.transaction((tx) => tx.lockOrganization(organization.id));
  });

  test('whose connection is ended before the commit are run again', async () => {
    const store = await openStore();
    const organization = makeOrganization();
    let runs = 0;
    await store.transaction(async (tx) => {
      runs += 1;
      await tx.insertOrganization(organization);
      if (runs > 1) return;
      await server.run(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid()`,
      );
      await tx.insertUser(makeUser(organization.id));
    });
    expect(runs).toBe(2);
    expect(await store.findOrganization(organization.id)).toEqual(organization);
  });

  test('whose connection is ended during the commit are unavailable, and not run again', async () => {
    const store = await openStore();
    // The commit itself ends the connection.
    await server.run(
      `create function quit() returns trigger language plpgsql as $$ begin
         perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$;
       create constraint trigger quit after insert on organization deferrable initially deferred
         for each row execute function quit()`,
      database,
    );
    let runs = 0;
    const committing = store.transaction(async (tx) => {
      runs += 1;
      await tx.insertOrganization(makeOrganization());
    });
    await expect(committing).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining('may have been made or not'),
    });
    expect(runs).toBe(1);
  });

  test('wait for one another when there are more than connections', async () => {
    const store = await openStore({ url: `${server.createUrl(database)}?pool_max_conns=2` });
    const organizations = Array.from({ length: 25 }, () => makeOrganization());
    await Promise.all(
      organizations.map((organization) =>
        store.transaction((tx) => tx.insertOrganization(organization)),
      ),
    );
    const [row] = await server.run(
      `select count(*)::int as count from pg_stat_activity where datname = '${database}' and application_name = 'claimgate'`,
    );
    expect(row?.['count']).toBeLessThanOrEqual(6);
    for (const { id } of organizations) expect(await store.findOrganization(id)).toBeDefined();
  });
});

describe('reads that come together', () => {
  /** As many as one statement takes, and some more. */
  const COUNT = 120;

  async function openFilledStore() {
    const store = await openStore();
    const organization = await insertOrganization(store);
    const user = makeUser(organization.id);
    await insertUsers(store, [user]);
    const kept = Array.from({ length: COUNT }, () => ({
      configuration: makeSsoConfiguration(organization.id),
      token: makeToken(user.id),
      digest: makeDigest(),
    }));
    await store.transaction(async (tx) => {
      for (const { configuration, token, digest } of kept) {
        await tx.insertSsoConfiguration(configuration, 'secret');
        await tx.insertPersonalAccessToken(token, digest);
      }
    });
    const readAll = () =>
      Promise.all(
        kept.flatMap(({ configuration, digest }) => [
          (async () => store.findSsoConfiguration(configuration.id))(),
          (async () => store.findTokenByDigest(digest))(),
        ]),
      );
    const all = kept.flatMap(({ configuration, token }) => [configuration, { token, user }]);
    return { store, kept, readAll, all };
  }

  test('tell each who asks what is there, also twice, and that nothing is', async () => {
    const { store, kept, readAll, all } = await openFilledStore();
    const [absent, ...answers] = await Promise.all([
      Promise.all([store.findSsoConfiguration('{"a",\\NULL}'), store.findTokenByDigest('')]),
      readAll(),
      readAll(),
    ]);
    expect(absent).toEqual([undefined, undefined]);
    expect(answers).toEqual([all, all]);
    const inTransaction = await store.transaction((tx) =>
      Promise.all(kept.map(async ({ configuration }) => tx.findSsoConfiguration(configuration.id))),
    );
    expect(inTransaction).toEqual(kept.map(({ configuration }) => configuration));
  });

  test('see what was committed before they were asked for', async () => {
    const { store, kept, readAll, all } = await openFilledStore();
    const before = readAll();
    const [first] = kept;
    await store.transaction((tx) => tx.deleteSsoConfiguration(first?.configuration.id ?? ''));
    expect(await readAll()).toEqual([undefined, ...all.slice(1)]);
    expect((await before).slice(1)).toEqual(all.slice(1));
  });

  test('fail alone where a key is one that PostgreSQL does not take', async () => {
    const { store, readAll, all } = await openFilledStore();
    const refused = (async () => store.findSsoConfiguration('\0'))().catch(
      (error: unknown) => error,
    );
    expect(await readAll()).toEqual(all);
    expect(await refused).toMatchObject({ name: 'DomainError', code: 'invalid_argument' });
  });

  test('are asked again when their connections are ended', async () => {
    const { readAll, all } = await openFilledStore();
    await readAll();
    const reading = readAll();
    await server.run(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid()`,
    );
    expect(await reading).toEqual(all);
    expect(await readAll()).toEqual(all);
  });

  test('are each unavailable when the server hangs, and go on when it does', async () => {
    const { store, kept, readAll, all } = await openFilledStore();
    await readAll();
    await server.signalAll('SIGSTOP');
    try {
      const answers = kept.map(async ({ configuration: { id } }) => store.findSsoConfiguration(id));
      for (const answer of await Promise.allSettled(answers)) {
        expect(answer).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
      }
    } finally {
      await server.signalAll('SIGCONT');
    }
    expect(await readAll()).toEqual(all);
  });
});

describe('what PostgreSQL says', () => {
  test('is not repeated, and kept as the cause for the log', async () => {
    const store = await openStore();
    await server.run('alter table organization rename column name to other_name', database);
    const error: unknown = await (async () => store.findOrganization('x'))().catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({
      message: 'The database refused a statement',
      cause: { name: 'PostgresError', message: expect.stringContaining('name') },
    });
  });

  test('repeats nothing of a row that was refused', async () => {
    const store = await openStore();
    const organization = await insertOrganization(store);
    const user = makeUser(organization.id, { email: 'canary@example.com' });
    await insertUsers(store, [user]);
    await server.run('create unique index on user_account (email)', database);
    const inserting = insertUsers(store, [makeUser(organization.id, { email: user.email })]);
    const error: unknown = await inserting.catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'DomainError', code: 'already_exists' });
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
  });

  test('of a statement prepared before a change of the table is passed over', async () => {
    const store = await openStore();
    const read = () => store.transaction((tx) => tx.takePendingLogin('x', new Date()));
    await read();
    await server.run('alter table pending_login add column later text', database);
    expect(await read()).toBeUndefined();
  });
});

describe('the limiter in the database', () => {
  const LIMIT = { name: 'test', count: 3, windowMs: 60_000 };

  test('counts for all processes together, each key and each limit for itself', async () => {
    const limiters = [(await openStore()).rateLimiter, (await openStore()).rateLimiter];
    const consume = (use: number, limit = LIMIT, key = 'a') =>
      (limiters[use % 2] as (typeof limiters)[0]).consume(limit, key);
    const verdicts = await Promise.all(Array.from({ length: 10 }, (_, use) => consume(use)));
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(LIMIT.count);
    const refused = await consume(0);
    expect(refused).toMatchObject({ allowed: false });
    const retryAfterMs = refused.allowed ? 0 : refused.retryAfterMs;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(LIMIT.windowMs);
    expect(await consume(0, LIMIT, 'b')).toEqual({ allowed: true });
    expect(await consume(1, { ...LIMIT, name: 'other' })).toEqual({ allowed: true });
  });

  test('allows again when the window is over, however often it was asked meanwhile', async () => {
    const { rateLimiter } = await openStore();
    const brief = { name: 'brief', count: 1, windowMs: 100 };
    expect(await rateLimiter.consume(brief, 'a')).toEqual({ allowed: true });
    await expect.poll(async () => (await rateLimiter.consume(brief, 'a')).allowed).toBe(true);
  });

  test('forgets windows that are long over', async () => {
    const store = await openStore();
    await store.rateLimiter.consume(LIMIT, 'a');
    const forget = (now: Date) =>
      store.transaction((tx) =>
        tx.forgetExpired({
          now,
          sessionLifetime: { idleMs: 1, absoluteMs: 1 },
          attemptRetention: { claimsPerConfiguration: 1, maxAgeMs: 1 },
          auditRetention: { maxAgeMs: 1, signInMaxAgeMs: 1 },
          limit: 10,
        }),
      );
    expect(await forget(new Date())).toBe(0);
    expect(await forget(new Date(Date.now() + 2 * 3_600_000))).toBe(1);
  });
});
