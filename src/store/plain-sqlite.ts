/**
 * Owns SQLite files as commands open them: for reading beside a running server, or alone. Alone is a lock that no
 * server gets by, and that nobody gets while a server has the file open.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { retryWhileBusy } from './busy-retry.ts';
import { MIGRATION_TABLE } from './migrate.ts';
import { StoreRefusal } from './plain-database.ts';
import type { PlainDatabase, Row } from './plain-database.ts';
import {
  APPLICATION_ID,
  createPrivateFile,
  readPragma,
  refuseForeign,
} from './sqlite-connections.ts';
import { isBusy, readSqliteFailure } from './sqlite-errors.ts';
import { explainOpenFailure } from './sqlite-open-failure.ts';
import { migrateSqlite } from './sqlite.ts';

export interface PlainSqlite extends PlainDatabase {
  readonly kind: 'sqlite';
  readonly database: DatabaseSync;
}

/** For other processes that write, in milliseconds. */
const BUSY_TIMEOUT = 200;
const TRANSACTION_WAIT = 15_000;

/**
 * - `beside`: other processes may have it open, and write.
 * - `alone`: fails with `StoreRefusal` while another process has it open; none can open it until it is closed.
 */
export type Company = 'beside' | 'alone';

/** Opens a file that is there and ours. Fails with `StoreOpenError` or `StoreRefusal`. */
export async function openPlainSqlite(path: string, company: Company): Promise<PlainSqlite> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new StoreRefusal(`There is no file ${file}. Check the path.`);
  }
  return open(file, company, (database) => {
    if (readPragma(database, 'application_id') === APPLICATION_ID) return;
    throw new StoreRefusal(`The file ${file} is a database, but not one of Claimgate's.`);
  });
}

/** Makes the file where it is not there, and gives an empty one its tables. One of an older schema is refused. */
export async function makePlainSqlite(path: string): Promise<PlainSqlite> {
  const file = resolve(path);
  await createPrivateFile(file).catch((error: unknown) => {
    throw explainOpenFailure(file, error);
  });
  const plain = await open(file, 'alone', (database) => refuseForeign(database, file));
  try {
    plain.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const isNew = !(await plain.listTables()).includes(MIGRATION_TABLE);
    if (isNew) await migrateSqlite(plain.database);
    return plain;
  } catch (error) {
    await plain.close();
    throw explainOpenFailure(file, error);
  }
}

async function open(
  file: string,
  company: Company,
  check: (database: DatabaseSync) => void,
): Promise<PlainSqlite> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
    if (company === 'alone') lockFile(database, file);
    database.exec(
      'PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF',
    );
    check(database);
    return bind(database, file);
  } catch (error) {
    database?.close();
    throw error instanceof StoreRefusal ? error : explainOpenFailure(file, error);
  }
}

/** With a write-ahead log, whoever has the file open keeps it from this lock (https://www.sqlite.org/wal.html §8). */
function lockFile(database: DatabaseSync, file: string): void {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new StoreRefusal(
      `The database ${file} is in use by another process. Stop the server, and whatever else has it open, then try again.`,
    );
  }
}

function bind(database: DatabaseSync, file: string): PlainSqlite {
  return {
    kind: 'sqlite',
    name: file,
    database,
    async all(sql, parameters = []) {
      // Our columns hold texts, integers and nulls alone.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return database.prepare(sql).all(...parameters) as readonly Row[];
    },
    async run(sql, parameters = []) {
      return Number(database.prepare(sql).run(...parameters).changes);
    },
    async transaction(work) {
      const until = performance.now() + TRANSACTION_WAIT;
      await retryWhileBusy(() => database.exec('BEGIN IMMEDIATE'), until);
      try {
        const result = await work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    async listColumns(table) {
      const rows = database.prepare('select name from pragma_table_info(?)').all(table);
      return rows.map(({ name }) => String(name)).toSorted();
    },
    async listTables() {
      const rows = database
        .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite%'`)
        .all();
      return rows.map(({ name }) => String(name)).toSorted();
    },
    async insert(table, columns, rows) {
      const places = columns.map(() => '?').join(', ');
      const statement = database.prepare(
        `insert into ${table} (${columns.map((column) => `"${column}"`).join(', ')}) values (${places})`,
      );
      for (const row of rows) statement.run(...columns.map((column) => row[column] ?? null));
    },
    async hurry() {
      database.exec('PRAGMA synchronous = NORMAL');
    },
    async settle() {
      database.exec('PRAGMA synchronous = FULL');
    },
    // It gains little here: rows come in the order of their keys.
    dropIndexes: async () => [],
    async empty(tables) {
      for (const table of tables.toReversed()) database.exec(`delete from ${table}`);
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

/** Fails with `StoreRefusal` for a file whose pages, indexes or references are not whole. */
export function checkIntegrity({ database, name }: PlainSqlite): void {
  const problem = findProblem(database);
  if (problem === undefined) return;
  throw new StoreRefusal(`The file ${name} is damaged (${problem}). Use another backup.`);
}

/** In SQLite's words; `undefined` when all is whole. */
export function findProblem(database: DatabaseSync): string | undefined {
  try {
    const [integrity] = database.prepare('PRAGMA integrity_check(1)').all();
    if (integrity?.['integrity_check'] !== 'ok') return String(integrity?.['integrity_check']);
    const [orphan] = database.prepare('PRAGMA foreign_key_check').all();
    return orphan && `a row of ${String(orphan['table'])} refers to one that is not there`;
  } catch (error) {
    if (readSqliteFailure(error) !== 'corrupt') throw error;
    return 'its pages are not whole';
  }
}
