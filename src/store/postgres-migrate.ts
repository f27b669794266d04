/**
 * Owns the migrating of a PostgreSQL database: on a connection of its own, in one transaction, under an advisory lock,
 * so that of several processes that start together one does it and the others find it done.
 */
import { setTimeout } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { migrateToLatest } from './migrate.ts';
import type { ColumnTypes, KnownMigration } from './migrations/known-migrations.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { createTransactionDialect, runUntil } from './postgres-dialect.ts';
import { findPostgresFailure } from './postgres-errors.ts';
import type { PrimaryConnector } from './postgres-primary.ts';

/** The database cannot hold all of Unicode. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

/** "CGat", as in the header of SQLite's files. */
export const MIGRATION_LOCK = 0x43476174;

/** For another process to migrate, and for one migration, in milliseconds. */
const MIGRATION_TIMEOUT = 10 * 60_000;

/** Between two attempts to connect, in milliseconds. */
const PAUSE = 250;

/** Text compares by its bytes, in every locale. A table that need not survive a crash costs no log. */
const COLUMN_TYPES: ColumnTypes = { text: sql`text collate "C"`, unlogged: true };

/** @param waitMs how long a server is waited for that is not there yet, or takes no writes yet. */
export async function migratePostgres(
  primary: PrimaryConnector,
  waitMs: number,
  migrations?: readonly KnownMigration[],
): Promise<void> {
  const connection = await connectPatiently(primary, performance.now() + waitMs);
  let failure: unknown;
  // The migrator goes on asking after a failure, and reports that the transaction is over instead of why.
  const watched: PostgresConnection = {
    ...connection,
    query: (statement, deadline) =>
      connection.query(statement, deadline).catch((error: unknown) => {
        failure ??= error;
        throw error;
      }),
  };
  try {
    const dialect = createTransactionDialect({
      acquire: async () => watched,
      release: () => {},
    });
    const db = new Kysely<unknown>({ dialect });
    await runUntil(performance.now() + MIGRATION_TIMEOUT, () =>
      db.transaction().execute(async (transaction) => {
        const timeout = sql.lit(MIGRATION_TIMEOUT);
        await sql`set local statement_timeout = ${timeout}`.execute(transaction);
        await sql`set local lock_timeout = ${timeout}`.execute(transaction);
        await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(transaction);
        await refuseEncoding(transaction);
        await migrateToLatest(transaction, COLUMN_TYPES, migrations);
      }),
    );
  } catch (error) {
    throw failure ?? error;
  } finally {
    connection.end();
  }
}

async function connectPatiently(
  primary: PrimaryConnector,
  until: number,
): Promise<PostgresConnection> {
  for (;;) {
    try {
      return await primary.connect();
    } catch (error) {
      const failure = findPostgresFailure(error) ?? 'other';
      const mayPass = ['lost', 'silent', 'overloaded', 'readonly'].includes(failure);
      if (!mayPass || performance.now() + PAUSE >= until) throw error;
    }
    await setTimeout(PAUSE);
  }
}

async function refuseEncoding(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ encoding: string }>`
    select current_setting('server_encoding') as encoding`.execute(db);
  const encoding = rows[0]?.encoding;
  if (encoding === 'UTF8') return;
  throw new EncodingError(`its encoding is ${encoding}`);
}
