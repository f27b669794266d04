/**
 * Owns bringing a database to the schema that this code knows: all missing migrations in one transaction, so that a
 * process killed midway leaves nothing behind, and of several processes that start together one does it.
 */
import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Migration } from 'kysely/migration';
import { KNOWN_MIGRATIONS } from './migrations/known-migrations.ts';
import type { ColumnTypes, KnownMigration } from './migrations/known-migrations.ts';

export const MIGRATION_TABLE = 'schema_migration';
const MIGRATION_LOCK_TABLE = 'schema_migration_lock';

/** Is there while a copy into the database has not been finished (`copy-store.ts`). */
export const UNFINISHED_COPY_TABLE = 'unfinished_copy';

/** The database holds a part of a copy. */
export class UnfinishedCopyError extends Error {
  override readonly name = 'UnfinishedCopyError';
}

/** The database has been migrated by a newer version of this program. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/**
 * Fails with `NewerSchemaError`, `UnfinishedCopyError`, or with what the database said.
 *
 * @param transaction on a dialect that takes definitions into transactions.
 * @param migrations all that this code knows, sorted by name.
 */
export async function migrateToLatest(
  transaction: Kysely<unknown>,
  types: ColumnTypes,
  migrations: readonly KnownMigration[] = KNOWN_MIGRATIONS,
): Promise<void> {
  const known: Record<string, Migration> = {};
  for (const { name, up } of migrations) known[name] = { up: (db) => up(db, types) };
  await refuseUnusable(transaction, known);
  const migrator = new Migrator({
    db: transaction,
    provider: { getMigrations: async () => known },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE,
    // The default goes by the locale.
    nameComparator: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function refuseUnusable(
  transaction: Kysely<unknown>,
  known: Readonly<Record<string, Migration>>,
): Promise<void> {
  const db = transaction.withTables<{ [MIGRATION_TABLE]: { name: string } }>();
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (tables.some(({ name }) => name === UNFINISHED_COPY_TABLE)) {
    throw new UnfinishedCopyError('a copy into it has not been finished');
  }
  if (!tables.some(({ name }) => name === MIGRATION_TABLE)) return;
  const done = await db.selectFrom(MIGRATION_TABLE).select('name').orderBy('name').execute();
  const unknown = done.filter(({ name }) => !(name in known));
  if (unknown.length === 0) return;
  throw new NewerSchemaError(
    `it has migrations unknown here: ${unknown.map(({ name }) => name).join(', ')}`,
  );
}
