/**
 * Owns the embedded database: opens one SQLite file, sets it up, and binds the portable store to it. It refuses to
 * own queries (`sql-store.ts`), the schema (`migrate.ts`) and the meaning of errors (`sqlite-errors.ts`).
 *
 * Two connections, so that reading never waits for a transaction: with a write-ahead log, readers see what was
 * committed when they began (https://www.sqlite.org/wal.html). Several processes may open the same file.
 */
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import type { Store } from '../domain/ports.ts';
import { isUndoneByAnother } from './group-commit.ts';
import type { Keyring } from './keyring.ts';
import { migrateToLatest } from './migrate.ts';
import type { ColumnTypes, KnownMigration } from './migrations/known-migrations.ts';
import {
  createConnection,
  createReadingDialect,
  createTransactionDialect,
  prepareVersion,
} from './node-sqlite-dialect.ts';
import type { Database } from './schema.ts';
import { createSqlStore } from './sql-store.ts';
import {
  APPLICATION_ID,
  createPrivateFile,
  openReadingConnection,
  openWritingConnection,
  readPragma,
} from './sqlite-connections.ts';
import { explainOpenFailure } from './sqlite-open-failure.ts';
import { StoreOpenError } from './store-open-error.ts';

export interface SqliteStoreOptions {
  /** Made when it is not there, and its folder too. */
  readonly file: string;
  readonly keyring: Keyring;
  /** For tests: the file grows to so many pages of 4 KiB, then its disk counts as full. */
  readonly maxPages?: number;
  /** For tests: instead of those that this code knows. */
  readonly migrations?: readonly KnownMigration[];
}

/** How long is waited, in milliseconds, for other processes and for transactions before. */
const WAIT = {
  /** Another process may be migrating. */
  opening: 15_000,
  transaction: 2_500,
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
  const closeAll = (): void => {
    for (const database of opened.splice(0).toReversed()) database.close();
  };
  try {
    await createPrivateFile(file);
    const writing = await openWritingConnection(file, WAIT.opening);
    opened.push(writing);
    await migrateSqlite(writing, options.migrations);
    if (options.maxPages !== undefined) writing.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    const reading = openReadingConnection(file);
    opened.push(reading);
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
  const connection = createConnection(reading);
  return createSqlStore(
    {
      reader: new Kysely<Database>({ dialect: createReadingDialect(connection) }),
      // Kysely's way to the connection takes three times as long as the reading.
      read: (query) => connection.executeQuery(query),
      // Asking takes 1 µs, reading a token with its user 5 µs.
      readVersion: prepareVersion(reading),
      runTransaction: async (work) => {
        const run = () => writer.transaction().execute(work);
        return run().catch((error: unknown) => {
          if (isUndoneByAnother(error)) return run();
          throw error;
        });
      },
      runWrite: (write) => writer.transaction().execute(write),
      locksRows: false,
      close: () => dialect.close(closeAll),
    },
    keyring,
  );
}

/** Marks the file as ours, and brings it to the schema that this code knows. */
export async function migrateSqlite(
  database: DatabaseSync,
  migrations?: readonly KnownMigration[],
): Promise<void> {
  const dialect = createTransactionDialect(database, WAIT.opening);
  await new Kysely<unknown>({ dialect }).transaction().execute(async (transaction) => {
    if (readPragma(database, 'application_id') !== APPLICATION_ID) {
      await sql`PRAGMA application_id = ${sql.lit(APPLICATION_ID)}`.execute(transaction);
    }
    await migrateToLatest(transaction, COLUMN_TYPES, migrations);
  });
}
