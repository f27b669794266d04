// Backups through the real command line, of stores in use, and what becomes of them.
import { randomBytes } from 'node:crypto';
import { chown, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { openPlainSqlite } from '../../src/store/plain-sqlite.ts';
import { compareStores } from '../../src/store/copy-store.ts';
import { parseEncryptionKeys } from '../../src/store/keyring.ts';
import { readSchema } from '../../src/store/store-schema.ts';
import { runClaimgate } from '../cli/run-claimgate.ts';
import { startPostgresServer } from '../store/postgres-server.ts';
import type { PostgresServer } from '../store/postgres-server.ts';
import { startProcess } from '../support/start-process.ts';
import { insertOrganization } from '../store/store-fixtures.ts';
import { callJson } from '../support/call-json.ts';
import { CLIENT_SECRET, fillSqliteStore } from './fill-store.ts';

const KEYS = `k1:${randomBytes(32).toString('base64')}`;
const KEYRING = parseEncryptionKeys(KEYS);
const TOKEN = 'operator-token-of-this-test';

let folder: string;
let file: string;
let env: Record<string, string>;
const place = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-backup-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  file = place('claimgate.db');
  env = { CLAIMGATE_DATABASE_URL: `sqlite:${file}`, CLAIMGATE_ENCRYPTION_KEYS: KEYS };
});

async function expectSame(left: string, right: string): Promise<void> {
  const [one, other] = [
    await openPlainSqlite(left, 'alone'),
    await openPlainSqlite(right, 'alone'),
  ];
  await compareStores(one, other);
  await one.close();
  await other.close();
}

/** Resolves to how many organizations it has made. */
async function writeUntil(signal: AbortSignal, url: string): Promise<number> {
  let written = 0;
  while (!signal.aborted) {
    const body = { name: `Organization ${written}` };
    const options = { token: TOKEN };
    const { status } = await callJson(url, 'OrganizationService/CreateOrganization', body, options);
    if (status === 200) written += 1;
  }
  return written;
}

async function startServer() {
  const server = await startProcess({ ...env, CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN });
  let ended = false;
  const end = async (): Promise<void> => {
    if (!ended) await server.end('SIGTERM');
    ended = true;
  };
  onTestFinished(end);
  return { url: server.url, end };
}

describe('a backup', () => {
  test('has all tables, is for its owner alone, and names the keys that it does not hold', async () => {
    await fillSqliteStore(file, KEYRING);
    const { exitCode, stdout, stderr } = await runClaimgate(['backup', place('b.db'), '--json'], {
      env,
    });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      file: place('b.db'),
      source: file,
      rows: { organization: 3, sso_configuration: 3, test_login: 3, session: 6 },
      encryptionKeyIds: ['k1'],
      encryptionKeysPlace: 'CLAIMGATE_ENCRYPTION_KEYS',
    });
    expect((await stat(place('b.db'))).mode & 0o777).toBe(0o600);
    await expectSame(file, place('b.db'));
    expect((await readdir(folder)).toSorted()).toEqual(['b.db', 'claimgate.db']);
    const bytes = await readFile(place('b.db'));
    expect(bytes.includes(KEYS.slice(3))).toBe(false);
  });

  test('of a server that is being written to is whole, and of one moment', async () => {
    const server = await startServer();
    const stopping = new AbortController();
    const writing = writeUntil(stopping.signal, server.url);
    for (const name of ['1.db', '2.db', '3.db']) {
      const { exitCode, stderr } = await runClaimgate(['backup', place(name)], { env });
      expect([exitCode, stderr]).toEqual([0, '']);
    }
    stopping.abort();
    expect(await writing).toBeGreaterThan(0);
    const store = await openSqliteStore({ file: place('3.db'), keyring: KEYRING });
    expect(await store.isEmpty()).toBe(false);
    await store.close();
  });

  test('never takes the place of a file unless it is told to', async () => {
    await fillSqliteStore(file, KEYRING, 1);
    await writeFile(place('b.db'), 'precious');
    const refused = await runClaimgate(['backup', place('b.db')], { env });
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toContain('--force');
    expect(await readFile(place('b.db'), 'utf8')).toBe('precious');
    expect(await runClaimgate(['backup', place('b.db'), '--force'], { env })).toMatchObject({
      exitCode: 0,
    });
    await expectSame(file, place('b.db'));
  });

  test.each([
    ['of a store that is not there', async () => {}, 5, 'There is no file'],
    [
      'of another program',
      async () => {
        await writeFile(file, 'this is no database, but long enough for a header'.repeat(10));
      },
      1,
      'no SQLite database',
    ],
  ])('%s is refused, and leaves nothing', async (_, prepare, exitCode, words) => {
    await prepare();
    const result = await runClaimgate(['backup', place('b.db')], { env });
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(words);
    expect(await readdir(folder)).not.toContain('b.db');
  });

  test('with a wrong configuration ends with 2', async () => {
    const result = await runClaimgate(['backup', place('b.db')], { env: { CLAIMGATE_PORT: 'x' } });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/a mistake:\n {2}- CLAIMGATE_PORT/);
  });
});

describe('restoring', () => {
  test('brings back what was there, and the server starts on it', async () => {
    const first = await startServer();
    await runClaimgate(['backup', place('b.db')], { env });
    await callJson(
      first.url,
      'OrganizationService/CreateOrganization',
      { name: 'Later' },
      {
        token: TOKEN,
      },
    );
    await first.end();
    const refused = await runClaimgate(['restore', place('b.db')], { env });
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stderr).toContain('not empty');
    const restored = await runClaimgate(['restore', place('b.db'), '--force'], { env });
    expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
    expect(restored.stdout).toContain('1 organization, ');
    await expectSame(file, place('b.db'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await startServer();
    const { status } = await callJson(
      second.url,
      'IdentityService/GetAuthenticatedIdentity',
      {},
      { token: TOKEN },
    );
    expect(status).toBe(200);
  });

  test('refuses while a server has the store open', async () => {
    await startServer();
    await runClaimgate(['backup', place('b.db')], { env });
    const refused = await runClaimgate(['restore', place('b.db'), '--force'], { env });
    expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
    expect(refused.stderr).toContain('in use');
  });

  test('goes to another place, and warns of keys that are missing there', async () => {
    await fillSqliteStore(file, KEYRING);
    await runClaimgate(['backup', place('b.db')], { env });
    const result = await runClaimgate(
      ['restore', place('b.db'), '--to', `sqlite:${place('new/other.db')}`, '--json'],
      { env: { CLAIMGATE_ENCRYPTION_KEYS: `k2:${randomBytes(32).toString('base64')}` } },
    );
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('No encryption key has the id "k1"');
    expect(JSON.parse(result.stdout)).toMatchObject({ rows: { identity: 3 } });
    await expectSame(file, place('new/other.db'));
  });

  test('leaves the database to whom it belonged, also when the superuser restores', async () => {
    await fillSqliteStore(file, KEYRING, 1);
    await runClaimgate(['backup', place('b.db')], { env });
    const { uid, gid } = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : await stat(file);
    await chown(file, uid, gid);
    await runClaimgate(['restore', place('b.db'), '--force'], { env });
    expect(await stat(file)).toMatchObject({ uid, gid });
  });

  test('takes the place of a file that is damaged', async () => {
    await fillSqliteStore(file, KEYRING, 1);
    await runClaimgate(['backup', place('b.db')], { env });
    await writeFile(file, randomBytes(8192));
    const { exitCode } = await runClaimgate(['restore', place('b.db'), '--force'], { env });
    expect(exitCode).toBe(0);
    await expectSame(file, place('b.db'));
  });

  test.each([
    [
      'a damaged backup',
      async (backup: string) => {
        const bytes = await readFile(backup);
        // The first table's root is left, what is behind is not.
        await writeFile(backup, bytes.fill(0x5a, 4096 * 5));
      },
      'damaged',
    ],
    [
      'one of a newer version',
      async (backup: string) => {
        const plain = await openPlainSqlite(backup, 'alone');
        await plain.run(`insert into schema_migration values ('9999-later', '')`);
        await plain.close();
      },
      'newer version',
    ],
    [
      'one that is no backup of ours',
      async (backup: string) => {
        const plain = await openPlainSqlite(backup, 'alone');
        plain.database.exec('PRAGMA application_id = 7');
        await plain.close();
      },
      'not one of Claimgate',
    ],
    [
      'one that would run something by itself',
      async (backup: string) => {
        const plain = await openPlainSqlite(backup, 'alone');
        plain.database.exec(
          'create trigger hide after insert on audit_record begin delete from audit_record; end',
        );
        await plain.close();
      },
      'has a trigger',
    ],
  ])('refuses %s, and touches nothing', async (_, spoil, words) => {
    await fillSqliteStore(file, KEYRING, 20);
    await runClaimgate(['backup', place('b.db')], { env });
    await copyFile(file, place('before.db'));
    await spoil(place('b.db'));
    const refused = await runClaimgate(['restore', place('b.db'), '--force'], { env });
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout).toBe('');
    expect(refused.stderr).toContain(words);
    expect(await readFile(file)).toEqual(await readFile(place('before.db')));
  });

  test('brings a backup of an older version up to date', async () => {
    const migrations = KNOWN_MIGRATIONS.slice(0, -1);
    const old = await openSqliteStore({ file, keyring: KEYRING, migrations });
    const { id } = await insertOrganization(old);
    await old.close();
    expect(await runClaimgate(['backup', place('b.db')], { env })).toMatchObject({ exitCode: 0 });
    await rm(file);
    const result = await runClaimgate(['restore', place('b.db'), '--json'], { env });
    expect(JSON.parse(result.stdout)).toMatchObject({ schema: migrations.at(-1)?.name });
    const plain = await openPlainSqlite(file, 'alone');
    expect(await readSchema(plain)).toMatchObject({ state: 'current' });
    expect(await plain.all('select id from organization')).toMatchObject([{ id }]);
    await plain.close();
  });
});

describe('PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgresServer();
  });
  afterAll(() => postgres.dispose());

  test('is backed up while in use, and restored to SQLite and to PostgreSQL', async () => {
    await fillSqliteStore(file, KEYRING);
    const url = postgres.createUrl(await postgres.createDatabase());
    await runClaimgate(['backup', place('first.db')], { env });
    const onPostgres = { CLAIMGATE_DATABASE_URL: url, CLAIMGATE_ENCRYPTION_KEYS: KEYS };
    expect(await runClaimgate(['restore', place('first.db')], { env: onPostgres })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });

    const server = await startProcess(onPostgres);
    await fetch(`${server.url}/readyz`);
    const backedUp = await runClaimgate(['backup', place('second.db')], { env: onPostgres });
    expect(backedUp).toMatchObject({ exitCode: 0, stderr: '' });
    await expectSame(place('first.db'), place('second.db'));
    expect((await stat(place('second.db'))).mode & 0o777).toBe(0o600);
    const inUse = await runClaimgate(['restore', place('second.db'), '--force'], {
      env: onPostgres,
    });
    expect(inUse).toMatchObject({ exitCode: 5, stdout: '' });
    expect(inUse.stderr).toContain('in use');
    await server.end('SIGTERM');

    const full = await runClaimgate(['restore', place('second.db')], { env: onPostgres });
    expect(full).toMatchObject({ exitCode: 5 });
    expect(full.stderr).toContain('--force');
    expect(
      await runClaimgate(['restore', place('second.db'), '--force'], { env: onPostgres }),
    ).toMatchObject({ exitCode: 0, stderr: '' });
    const store = await openPostgresStore({ url, keyring: KEYRING });
    const configurations = await postgres.run(
      'select id from sso_configuration',
      new URL(url).pathname.slice(1),
    );
    expect(configurations).toHaveLength(3);
    expect(await store.readClientSecret(String(configurations[0]?.['id']))).toBe(CLIENT_SECRET);
    await store.close();
  }, 60_000);
});

test('a folder that may not be written to is told, and no temporary file stays', async () => {
  await fillSqliteStore(file, KEYRING, 1);
  const result = await runClaimgate(['backup', join(file, 'b.db')], { env });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).not.toContain('should not have happened');
  expect(await readdir(folder)).toEqual(['claimgate.db']);
});
