/** Owns the table of the counts that limits go by, for databases that several processes share. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

export async function createRateLimitTable(
  db: Kysely<unknown>,
  { text, unlogged = false }: ColumnTypes,
): Promise<void> {
  let table = db.schema
    .createTable('rate_limit')
    .addColumn('key', text, (column) => column.notNull().primaryKey())
    .addColumn('count', bigint, (column) => column.notNull())
    .addColumn('ends_at', bigint, (column) => column.notNull());
  // Counts are worth a minute; saving each would cost more than what they limit.
  if (unlogged) table = table.modifyFront(sql`unlogged`);
  await table.execute();
  await createTableBuilders(db, text).createIndex('rate_limit', ['ends_at']);
}
