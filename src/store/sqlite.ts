/**
 * Owns the embedded database: opens one SQLite file, sets it up, and binds the portable store to it. It refuses to
 * own queries (`sql-store.ts`), the schema (`migrate.ts`) and the meaning of errors (`sqlite-errors.ts`).
 *
 * Two connections, so that reading never waits for a transaction: with a write-ahead log, readers see what was
 * committed when they began (https://www.sqlite.org/wal.html). Several processes may open the same file.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import type { Store } from '../domain/ports.ts';
import { retryWhileBusy } from './busy-retry.ts';
import type { Keyring } from './keyring.ts';
import { migrateToLatest } from './migrate.ts';
import type { ColumnTypes, KnownMigration } from './migrations/known-migrations.ts';
import { createReadingDialect, createTransactionDialect } from './node-sqlite-dialect.ts';
import type { Database } from './schema.ts';
import { createSqlStore } from './sql-store.ts';
import { explainOpenFailure } from './sqlite-open-failure.ts';
import { StoreOpenError } from './store-open-error.ts';
import { syncFolder } from './sync-folder.ts';
import { readSystemCode } from './system-code.ts';

export interface SqliteStoreOptions {
  /** Made when it is not there, and its folder too. */
  readonly file: string;
  readonly keyring: Keyring;
  /** For tests: the file grows to so many pages of 4 KiB, then its disk counts as full. */
  readonly maxPages?: number;
  /** For tests: instead of those that this code knows. */
  readonly migrations?: readonly KnownMigration[];
}

/** "CGat" in the file's header tells our databases from those of other programs. */
const APPLICATION_ID = 0x43476174;

/** In milliseconds. */
const WAIT = {
  /** For other processes, while opening: one of them may be migrating. */
  opening: 15_000,
  /** For transactions before, and for other processes. */
  transaction: 2_500,
  /** Within one statement, during which the process does nothing else. The rest is waited for without blocking. */
  writing: 20,
  /** Readers wait only while another process recovers the log of one that was killed. */
  reading: 1_000,
} as const;

/** Bytes order text in SQLite as it is. */
const COLUMN_TYPES: ColumnTypes = { text: sql`text` };

/** Opens the file, brings its schema up to date, and is ready. Fails with `StoreOpenError` when it cannot be used. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  if (options.file === '' || options.file === ':memory:') {
    throw new StoreOpenError(`"${options.file}"`, 'it is no file', 'Give the path of a file.');
  }
  const file = resolve(options.file);
  const opened: DatabaseSync[] = [];
  const openConnection = (timeout: number): DatabaseSync => {
    const database = new DatabaseSync(file, { timeout, enableForeignKeyConstraints: true });
    opened.push(database);
    return database;
  };
  const closeAll = (): void => {
    for (const database of opened.splice(0).toReversed()) database.close();
  };
  try {
    await createPrivateFile(file);
    const writing = openConnection(WAIT.writing);
    await setUpWriting(writing, file);
    await migrate(writing, options.migrations);
    if (options.maxPages !== undefined) writing.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    const reading = openConnection(WAIT.reading);
    reading.exec('PRAGMA query_only = ON');
    return bindStore(writing, reading, closeAll, options.keyring);
  } catch (error) {
    closeAll();
    throw explainOpenFailure(file, error);
  }
}

function bindStore(
  writing: DatabaseSync,
  reading: DatabaseSync,
  closeAll: () => void,
  keyring: Keyring,
): Store {
  const dialect = createTransactionDialect(writing, WAIT.transaction);
  const writer = new Kysely<Database>({ dialect });
  return createSqlStore(
    {
      reader: new Kysely<Database>({ dialect: createReadingDialect(reading) }),
      runTransaction: (work) => writer.transaction().execute(work),
      locksRows: false,
      close: () => dialect.close(closeAll),
    },
    keyring,
  );
}

/**
 * The log and its index take their mode from the file. An existing file is not even opened: closing it again would
 * take away the locks that this process has on it (https://www.sqlite.org/howtocorrupt.html §2.2).
 */
async function createPrivateFile(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.close();
    await syncFolder(folder);
  } catch (error) {
    if (readSystemCode(error) !== 'EEXIST') throw error;
  }
}

async function setUpWriting(database: DatabaseSync, file: string): Promise<void> {
  await retryWhileBusy(() => {
    refuseForeign(database, file);
    // Switching to the log needs the file alone, once in its life.
    const mode = readPragma(database, 'journal_mode = WAL');
    if (mode === 'wal') return;
    throw new StoreOpenError(
      file,
      'its file system cannot share memory between processes, which the write-ahead log needs',
      'Put the file on a local disk.',
    );
  }, performance.now() + WAIT.opening);
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;
  `);
}

function refuseForeign(database: DatabaseSync, file: string): void {
  const id = readPragma(database, 'application_id');
  if (id === APPLICATION_ID) return;
  const content = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
  if (id === 0 && content === undefined) return;
  throw new StoreOpenError(
    file,
    'it is a database of another program',
    'Set CLAIMGATE_DATABASE_URL to another file.',
  );
}

function readPragma(database: DatabaseSync, pragma: string): unknown {
  const [value] = Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {});
  return value;
}

async function migrate(
  database: DatabaseSync,
  migrations: readonly KnownMigration[] | undefined,
): Promise<void> {
  const dialect = createTransactionDialect(database, WAIT.opening);
  await new Kysely<unknown>({ dialect }).transaction().execute(async (transaction) => {
    await sql`PRAGMA application_id = ${sql.lit(APPLICATION_ID)}`.execute(transaction);
    await migrateToLatest(transaction, COLUMN_TYPES, migrations);
  });
}
