/** Owns the column by which the store shows that it takes writes: a write that changes nothing need not reach the disk. */
import type { Kysely } from 'kysely';
import { bigint } from './table-builders.ts';

export async function createWriteCount(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('store_lock')
    .addColumn('write_count', bigint, (column) => column.notNull().defaultTo(0))
    .execute();
}
