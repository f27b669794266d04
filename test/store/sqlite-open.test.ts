import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, open, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/domain/ports.ts';
import { KNOWN_MIGRATIONS } from '../../src/store/migrations/known-migrations.ts';
import type { KnownMigration } from '../../src/store/migrations/known-migrations.ts';
import {
  openReadingConnection,
  openWritingConnection,
} from '../../src/store/sqlite-connections.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { StoreOpenError } from '../../src/store/store-open-error.ts';
import { startStoreChild } from './run-store-child.ts';
import { createTemporaryFolder, TEST_KEYRING } from './sqlite-files.ts';
import type { TemporaryFolder } from './sqlite-files.ts';
import { countUp, STEPS_EACH } from './store-child.ts';
import { insertOrganization, makeSsoConfiguration } from './store-fixtures.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(() => folder.remove());

const openStore = (file = folder.file, migrations = KNOWN_MIGRATIONS): Promise<Store> =>
  openSqliteStore({ file, keyring: TEST_KEYRING, migrations });

/** Opens and closes it once, with an organization in it. */
async function makeDatabase(file = folder.file): Promise<string> {
  const store = await openStore(file);
  const { id } = await insertOrganization(store);
  await store.close();
  return id;
}

async function readMode(path: string): Promise<string> {
  const { mode } = await stat(path);
  return (mode & 0o777).toString(8);
}

describe('opening a SQLite file', () => {
  test('makes it and its folder, for the owner alone', async () => {
    const file = join(folder.path, 'a', 'b', 'store.db');
    const store = await openStore(file);
    await insertOrganization(store);
    expect(await readMode(dirname(file))).toBe('700');
    for (const suffix of ['', '-wal', '-shm']) expect(await readMode(file + suffix)).toBe('600');
    await store.close();
  });

  test('finds what was there before', async () => {
    const id = await makeDatabase();
    const store = await openStore();
    expect(await store.findOrganization(id)).toMatchObject({ id });
    await store.close();
  });

  test('leaves one file when it is closed', async () => {
    await makeDatabase();
    expect(execFileSync('ls', [folder.path], { encoding: 'utf8' })).toBe('claimgate.db\n');
  });

  test('sets the writing connection to lose nothing and to leave nothing behind', async () => {
    await makeDatabase();
    const database = await openWritingConnection(folder.file, 0);
    const read = (pragma: string): unknown =>
      Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
    expect({
      journal: read('journal_mode'),
      synchronous: read('synchronous'),
      foreignKeys: read('foreign_keys'),
      secureDelete: read('secure_delete'),
      trustedSchema: read('trusted_schema'),
      busyTimeout: read('busy_timeout'),
    }).toEqual({
      journal: 'wal',
      synchronous: 2, // FULL
      foreignKeys: 1,
      secureDelete: 1,
      trustedSchema: 0,
      busyTimeout: 20,
    });
    database.close();
  });

  test('sets the reading connection to change nothing', async () => {
    await makeDatabase();
    const database = openReadingConnection(folder.file);
    expect(() => database.exec('delete from organization')).toThrow('readonly');
    database.close();
  });

  test('at the same time from several processes migrates it once', async () => {
    const children = Array.from({ length: 3 }, () => startStoreChild('open', folder.file));
    for (const child of children) {
      expect(await child.ended).toEqual({ code: 0, signal: null });
      expect(child.lines).toEqual(['done']);
    }
  });

  test('at the same time several times in one process works', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore()));
    const [first, ...others] = stores;
    const { id } = await insertOrganization(first as Store);
    for (const other of others) expect(await other.findOrganization(id)).toMatchObject({ id });
    await Promise.all(stores.map((store) => store.close()));
  });

  test('does not keep another process from counting up in it', async () => {
    const store = await openStore();
    const { id } = await insertOrganization(store);
    const counter = makeSsoConfiguration(id, { id: 'counter' });
    await store.transaction((tx) => tx.insertSsoConfiguration(counter, 'secret'));
    const child = startStoreChild('count', folder.file);
    await countUp(store, 'counter');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(await store.findSsoConfiguration('counter')).toMatchObject({
      revision: 1 + 2 * STEPS_EACH,
    });
    await store.close();
  });
});

describe('a SQLite file is refused, with its name, the cause and what to do, when it', () => {
  const garbage = (length: number): Buffer => Buffer.alloc(length, 'no database ');

  const overwrite = async (position: number, length: number): Promise<void> => {
    const handle = await open(folder.file, 'r+');
    await handle.write(garbage(length), 0, length, position);
    await handle.close();
  };

  test.each<[string, () => Promise<unknown>, string, string]>([
    [
      'is no database',
      () => writeFile(folder.file, garbage(8192)),
      'no SQLite database',
      'another file',
    ],
    [
      'has a damaged first page',
      async () => {
        await makeDatabase();
        await overwrite(100, 3996);
      },
      'the file is damaged',
      'Restore it from a backup',
    ],
    [
      'is cut short',
      async () => {
        await makeDatabase();
        await truncate(folder.file, 4096);
      },
      'the file is damaged',
      'Restore it from a backup',
    ],
    [
      'belongs to another program',
      async () => {
        const database = new DatabaseSync(folder.file);
        database.exec('create table theirs (id)');
        database.close();
      },
      'another program',
      'CLAIMGATE_DATABASE_URL',
    ],
    [
      'is a folder',
      () => mkdir(folder.file),
      'cannot be read and written',
      'read and write access',
    ],
  ])('%s', async (_, prepare, cause, advice) => {
    await prepare();
    const opening = openStore();
    await expect(opening).rejects.toBeInstanceOf(StoreOpenError);
    await expect(opening).rejects.toMatchObject({ location: folder.file });
    await expect(opening).rejects.toThrow(folder.file);
    await expect(opening).rejects.toThrow(cause);
    await expect(opening).rejects.toThrow(advice);
  });

  test('belongs to another program, without a change to it', async () => {
    const database = new DatabaseSync(folder.file);
    database.exec('create table theirs (id)');
    database.close();
    await copyFile(folder.file, `${folder.file}.before`);
    await expect(openStore()).rejects.toBeInstanceOf(StoreOpenError);
    execFileSync('cmp', [folder.file, `${folder.file}.before`]);
  });

  test('lies below what is no folder', async () => {
    await writeFile(join(folder.path, 'file'), '');
    await expect(openStore(join(folder.path, 'file', 'store.db'))).rejects.toThrow('not a folder');
  });

  test.each(['', ':memory:'])('is no file but "%s"', async (file) => {
    await expect(openStore(file)).rejects.toThrow('it is no file');
  });

  test.each<[string, () => Promise<unknown>]>([
    ['may only be read', () => chmod(folder.file, 0o444)],
    ['may not even be read', () => chmod(folder.file, 0o000)],
  ])('%s', async (_, prepare) => {
    await makeDatabase();
    await chmod(folder.path, 0o755);
    await prepare();
    const child = startStoreChild('open-unprivileged', folder.file);
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.lines).toEqual([expect.stringContaining('StoreOpenError')]);
    expect(child.lines).toEqual([expect.stringContaining(folder.file)]);
    expect(child.lines).toEqual([expect.stringContaining('cannot be read and written')]);
  });

  test('cannot be made in its folder', async () => {
    await chmod(folder.path, 0o555);
    const child = startStoreChild('open-unprivileged', folder.file);
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.lines).toEqual([expect.stringContaining('cannot be read and written')]);
  });
});

describe('migrations', () => {
  const later: KnownMigration = {
    name: '9999-later',
    up: async (db) => {
      await sql`create table later (id text)`.execute(db);
    },
  };

  test('run on a file of an older schema, and keep what is in it', async () => {
    const id = await makeDatabase();
    const store = await openStore(folder.file, [...KNOWN_MIGRATIONS, later]);
    expect(await store.findOrganization(id)).toMatchObject({ id });
    await store.close();
    const database = new DatabaseSync(folder.file);
    expect(database.prepare('select count(*) as count from later').get()).toEqual({ count: 0 });
    database.close();
  });

  test('of a newer version are refused, with advice', async () => {
    await makeDatabase();
    const newer = await openStore(folder.file, [...KNOWN_MIGRATIONS, later]);
    await newer.close();
    const opening = openStore();
    await expect(opening).rejects.toBeInstanceOf(StoreOpenError);
    await expect(opening).rejects.toThrow('newer version of this program');
    await expect(opening).rejects.toThrow('9999-later');
    await expect(opening).rejects.toThrow('restore a backup from before the upgrade');
  });

  test('that fail leave the file as it was', async () => {
    const id = await makeDatabase();
    const failing: KnownMigration = {
      name: '9999-failing',
      up: async (db) => {
        await later.up(db, { text: sql`text` });
        await sql`drop table organization`.execute(db);
        throw new Error('on purpose');
      },
    };
    await expect(openStore(folder.file, [...KNOWN_MIGRATIONS, failing])).rejects.toBeInstanceOf(
      StoreOpenError,
    );
    const store = await openStore(folder.file, [...KNOWN_MIGRATIONS, later]);
    expect(await store.findOrganization(id)).toMatchObject({
      id,
      name: expect.stringContaining('chme'),
    });
    await store.close();
  });

  test('killed midway leave the file as it was', async () => {
    const id = await makeDatabase();
    const child = startStoreChild('migrate-and-die', folder.file);
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
    const store = await openStore();
    expect(await store.findOrganization(id)).toMatchObject({
      name: expect.stringContaining('chme'),
    });
    await store.close();
    const database = new DatabaseSync(folder.file);
    expect(
      database.prepare(`select name from sqlite_schema where name = 'half_done'`).all(),
    ).toEqual([]);
    database.close();
  });

  test('killed midway on a new file leave one that is as good as new', async () => {
    const child = startStoreChild('migrate-and-die', folder.file);
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
    const store = await openStore();
    expect(await store.isEmpty()).toBe(true);
    await store.close();
  });
});
