// Moving a store between SQLite and PostgreSQL through the real command line, killed midway too.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

import { compareStores } from '../../src/store/copy-store.ts';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { makePlainSqlite, openPlainSqlite } from '../../src/store/plain-sqlite.ts';
import { runClaimgate, spawnClaimgate } from '../cli/run-claimgate.ts';
import { startPostgresServer } from '../store/postgres-server.ts';
import type { PostgresServer } from '../store/postgres-server.ts';
import { startProcess } from '../support/start-process.ts';
import { CLIENT_SECRET, fillSqliteStore } from './fill-store.ts';

const KEYS = `k1:${randomBytes(32).toString('base64')}`;
const KEYRING = parseEncryptionKeys(KEYS);
const ENV = { CLAIMGATE_ENCRYPTION_KEYS: KEYS };

let postgres: PostgresServer;
let folder: string;
let file: string;
let url: string;
const place = (name: string): string => join(folder, name);
const query = (statement: string) => postgres.run(statement, new URL(url).pathname.slice(1));

beforeAll(async () => {
  postgres = await startPostgresServer();
});
afterAll(() => postgres.dispose());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-migrate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  file = place('claimgate.db');
  const database = await postgres.createDatabase();
  onTestFinished(() => postgres.dropDatabase(database));
  url = postgres.createUrl(database);
});

const migrate = (from: string, to: string, ...more: readonly string[]) =>
  runClaimgate(['migrate', '--from', from, '--to', to, '--json', ...more], { env: ENV });

test('a store goes to PostgreSQL and back, and is the same', async () => {
  const { configurationIds } = await fillSqliteStore(file, KEYRING);
  const there = await migrate(`sqlite:${file}`, url);
  expect(there.exitCode).toBe(0);
  expect(there.stderr).toContain(
    'The secrets open under the keys of CLAIMGATE_ENCRYPTION_KEYS (k1)',
  );
  const report = JSON.parse(there.stdout);
  expect(report).toMatchObject({ from: file, resumed: false, encryptionKeyIds: ['k1'] });
  expect(report.to).not.toContain('pass');

  const store = await openPostgresStore({ url, keyring: KEYRING });
  for (const id of configurationIds) expect(await store.readClientSecret(id)).toBe(CLIENT_SECRET);
  await store.close();

  const back = await migrate(url, `sqlite:${place('back.db')}`);
  expect(back.exitCode).toBe(0);
  expect(JSON.parse(back.stdout).tables).toEqual(report.tables);
  const [one, other] = [
    await openPlainSqlite(file, 'alone'),
    await openPlainSqlite(place('back.db'), 'alone'),
  ];
  await compareStores(one, other);
  await one.close();
  await other.close();
});

test('one that is killed goes on where it stopped, and no server starts in between', async () => {
  const rows = 60_000;
  await fillSqliteStore(file, KEYRING, 1);
  await addAttempts(rows);
  const child = spawnClaimgate(['migrate', '--from', `sqlite:${file}`, '--to', url], { env: ENV });
  const ended = once(child, 'close');
  while (!(await readPosition()).includes('login_attempt')) {
    await setTimeout(10);
    expect(child.exitCode).toBeNull();
  }
  child.kill('SIGKILL');
  await ended;
  const [left] = await query('select count(*)::int as count from login_attempt');
  expect(left?.['count']).toBeGreaterThan(0);
  expect(left?.['count']).toBeLessThan(rows);

  const server = startProcess({ ...ENV, CLAIMGATE_DATABASE_URL: url });
  await expect(server).rejects.toThrow('has not been finished');
  const elsewhere = await migrate(`sqlite:${await copyElsewhere()}`, url);
  expect(elsewhere).toMatchObject({ exitCode: 5, stdout: '' });
  expect(elsewhere.stderr).toContain('--restart');

  const again = await migrate(`sqlite:${file}`, url);
  expect(again.exitCode).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ resumed: true });
  const [all] = await query('select count(*)::int as count from login_attempt');
  expect(all?.['count']).toBe(rows + 2);
  expect(await query(`select 1 from pg_tables where tablename = 'unfinished_copy'`)).toEqual([]);
}, 90_000);

test('what was changed between two halves is found, and the copy begun anew on demand', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  expect((await migrate(`sqlite:${file}`, url)).exitCode).toBe(0);
  // As if it had been killed just before its end.
  await query(
    `create table unfinished_copy (source text not null, position text, dropped text not null)`,
  );
  await query(
    `insert into unfinished_copy values ('${file}', '{"table":"test_login","after":["z"]}', '[]')`,
  );
  await query(`update organization set name = 'changed'`);
  const differing = await migrate(`sqlite:${file}`, url);
  expect(differing).toMatchObject({ exitCode: 5, stdout: '' });
  expect(differing.stderr).toContain('organization has 1 rows');
  expect((await migrate(`sqlite:${file}`, url, '--restart')).exitCode).toBe(0);
  expect(await query('select name from organization')).not.toEqual([{ name: 'changed' }]);
});

test('the target has the indexes and references that a migration makes', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const describeSchema = async (database: string) => [
    await postgres.run('select indexdef from pg_indexes order by indexname', database),
    await postgres.run(
      'select conname, convalidated, pg_get_constraintdef(oid) as is from pg_constraint order by conname',
      database,
    ),
  ];
  const made = await postgres.createDatabase();
  onTestFinished(() => postgres.dropDatabase(made));
  const store = await openPostgresStore({ url: postgres.createUrl(made), keyring: KEYRING });
  await store.close();
  expect((await migrate(`sqlite:${file}`, url)).exitCode).toBe(0);
  expect(await describeSchema(new URL(url).pathname.slice(1))).toEqual(await describeSchema(made));
});

test('a target with data is refused', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const store = await openPostgresStore({ url, keyring: KEYRING });
  await store.close();
  await query(`insert into organization values ('o', 'Other', '[]', 0, 0)`);
  const refused = await migrate(`sqlite:${file}`, url);
  expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
  expect(refused.stderr).toContain('holds data already');
});

test('databases in use are refused, on either side', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const onSqlite = await startProcess({ ...ENV, CLAIMGATE_DATABASE_URL: `sqlite:${file}` });
  const source = await migrate(`sqlite:${file}`, url);
  await onSqlite.end('SIGTERM');
  const onPostgres = await startProcess({ ...ENV, CLAIMGATE_DATABASE_URL: url });
  await fetch(`${onPostgres.url}/readyz`);
  const target = await migrate(`sqlite:${file}`, url);
  await onPostgres.end('SIGTERM');
  for (const refused of [source, target]) {
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toContain('in use');
  }
});

test('keys that do not open the secrets are told before anything is copied', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const other = { CLAIMGATE_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}` };
  const refused = await runClaimgate(['migrate', '--from', `sqlite:${file}`, '--to', url], {
    env: other,
  });
  expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
  expect(refused.stderr).toContain('does not open');
  expect(await query(`select 1 from pg_tables where tablename = 'organization'`)).toEqual([]);
});

test('a text that PostgreSQL cannot store is named by its table', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const plain = await openPlainSqlite(file, 'alone');
  await plain.run(`update user_account set name = ?`, ['a\0b']);
  await plain.close();
  const refused = await migrate(`sqlite:${file}`, url);
  expect(refused.exitCode).toBe(5);
  expect(refused.stderr).toContain('user_account holds the character U+0000');
});

test.each([
  [[], '--from or --to'],
  [['--from', 'mysql:x'], '--from must be sqlite:PATH'],
])('arguments that say too little are refused: %j', async (args, words) => {
  const refused = await runClaimgate(['migrate', ...args], { env: ENV });
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  expect(refused.stderr).toContain(words);
});

async function readPosition(): Promise<string> {
  const rows = await query('select position from unfinished_copy').catch(() => []);
  return String(rows[0]?.['position'] ?? '');
}

async function copyElsewhere(): Promise<string> {
  const copy = place('elsewhere.db');
  const env = { ...ENV, CLAIMGATE_DATABASE_URL: `sqlite:${file}` };
  expect((await runClaimgate(['backup', copy], { env })).exitCode).toBe(0);
  return copy;
}

async function addAttempts(count: number): Promise<void> {
  const plain = await makePlainSqlite(file);
  const columns = (await plain.listColumns('login_attempt')).filter((column) => column !== 'id');
  const names = columns.map((column) => `"${column}"`).join(', ');
  await plain.run(
    `with recursive counter(n) as (select 1 union all select n + 1 from counter where n < ?)
     insert into login_attempt (id, ${names})
     select printf('%08d', n), ${names} from counter, (select * from login_attempt where key_id is null limit 1)`,
    [count],
  );
  await plain.close();
}
