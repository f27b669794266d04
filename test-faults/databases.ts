// Owns the databases that faults are tried on: a SQLite file in a folder of its own, and a PostgreSQL server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect } from 'vitest';

import { startPostgresServer } from '../test/store/postgres-server.ts';

export interface DatabaseUnderTest {
  /** As `CLAIMGATE_DATABASE_URL` has it. */
  readonly url: string;
  /** Fails unless every page, index and reference of it is sound. Nothing may have it open. */
  readonly expectIntegrity: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** Both stores, for tests that are the same on each. */
export const DATABASES: readonly (readonly [string, () => Promise<DatabaseUnderTest>])[] = [
  ['SQLite', makeSqliteDatabase],
  ['PostgreSQL', makePostgresDatabase],
];

async function makeSqliteDatabase(): Promise<DatabaseUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-faults-'));
  const file = join(folder, 'claimgate.db');
  return {
    url: `sqlite:${file}`,
    expectIntegrity: async () => expectSqliteIntegrity(file),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @param file that nothing has open */
export function expectSqliteIntegrity(file: string): void {
  const database = new DatabaseSync(file);
  try {
    const check = (pragma: string): unknown => database.prepare(`PRAGMA ${pragma}`).all();
    expect(check('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(check('foreign_key_check')).toEqual([]);
  } finally {
    database.close();
  }
}

/** https://www.postgresql.org/docs/current/amcheck.html */
const CHECK_ALL = `
  create extension if not exists amcheck;
  select bt_index_check(index.oid, true)
    from pg_class index join pg_am method on method.oid = index.relam
    where method.amname = 'btree' and index.relnamespace = 'public'::regnamespace;
  select relation.relname, found.* from pg_class relation, verify_heapam(relation.oid) found
    where relation.relkind = 'r' and relation.relnamespace = 'public'::regnamespace`;

async function makePostgresDatabase(): Promise<DatabaseUnderTest> {
  const server = await startPostgresServer();
  const database = await server.createDatabase();
  return {
    url: server.createUrl(database),
    async expectIntegrity() {
      expect(await server.run(CHECK_ALL, database)).toEqual([]);
    },
    dispose: () => server.dispose(),
  };
}
