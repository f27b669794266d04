// What the program says, and how it ends, when it is started on a database that cannot be used: it touches nothing, and
// names the database, the cause and what to do. What the store itself says in each case is in `test/store`.
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { startPostgresServer } from '../test/store/postgres-server.ts';
import { startServerUnderTest } from './server-under-test.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';

const hash = (file: string): string => execFileSync('sha256sum', [file], { encoding: 'utf8' });

async function mountDisk(): Promise<SmallDisk> {
  const disk = await mountSmallDisk(16);
  onTestFinished(() => disk.dispose());
  return disk;
}

/** A database that has been used and closed. */
async function makeDatabase(folder: string): Promise<string> {
  const file = join(folder, 'claimgate.db');
  const server = await startServerUnderTest(`sqlite:${file}`);
  await server.end('SIGTERM');
  return file;
}

async function overwrite(file: string, position: number, length: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(length, 'no database '), 0, length, position);
  await handle.close();
}

describe('The program does not start on a SQLite file', () => {
  test('on a disk that is mounted read-only', async () => {
    const disk = await mountDisk();
    const file = await makeDatabase(disk.folder);
    disk.makeReadOnly();
    const starting = startServerUnderTest(`sqlite:${file}`);
    await expect(starting).rejects.toThrow(file);
    await expect(starting).rejects.toThrow('it cannot be read and written by this process');
  });

  test.each<[string, number, number, string]>([
    ['whose beginning is overwritten', 0, 4096, 'it is no SQLite database, or its beginning'],
    ['whose schema is overwritten', 100, 3996, 'the file is damaged'],
  ])('%s', async (_, position, length, cause) => {
    const { folder } = await mountDisk();
    const file = await makeDatabase(folder);
    await overwrite(file, position, length);
    const before = hash(file);
    const starting = startServerUnderTest(`sqlite:${file}`);
    await expect(starting).rejects.toThrow(file);
    await expect(starting).rejects.toThrow(cause);
    await expect(starting).rejects.toThrow(/backup/);
    expect(hash(file)).toBe(before);
  });
});

describe('The program does not start on PostgreSQL', () => {
  test('that takes no writes', async () => {
    const postgres = await startPostgresServer();
    onTestFinished(() => postgres.dispose());
    const database = await postgres.createDatabase();
    await postgres.run(`alter database ${database} set default_transaction_read_only = on`);
    const starting = startServerUnderTest(postgres.createUrl(database));
    await expect(starting).rejects.toThrow('it takes no writes');
  });

  test('of which a table is damaged', async () => {
    const postgres = await startPostgresServer();
    onTestFinished(() => postgres.dispose());
    const database = await postgres.createDatabase();
    const server = await startServerUnderTest(postgres.createUrl(database));
    await server.end('SIGTERM');
    const [row] = await postgres.run(
      `select pg_relation_filepath('schema_migration') path`,
      database,
    );
    await postgres.stop('fast');
    await overwrite(join(postgres.folder, 'data', String(row?.['path'])), 0, 8192);
    await postgres.start();
    const starting = startServerUnderTest(postgres.createUrl(database));
    await expect(starting).rejects.toThrow('it is damaged. Restore it from a backup');
  });
});
