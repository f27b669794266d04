/**
 * Owns the indexes of login attempts, of which there is one for each login: smaller ones, because they take more room
 * than the rows do. Attempts of the same millisecond are few, so that their ids need not be in an index; and an attempt
 * is looked for among those that signed somebody in, or among the others, when it is forgotten.
 */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { createTableBuilders } from './table-builders.ts';

const DROPPED = [
  'login_attempt_organization_at_id_idx',
  'login_attempt_configuration_at_id_idx',
  'login_attempt_at_idx',
];

export async function slimLoginAttempts(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  const { createIndex } = createTableBuilders(db, text);
  for (const name of DROPPED) await db.schema.dropIndex(name).execute();
  await createIndex('login_attempt', ['organization_id', 'at']);
  await createIndex('login_attempt', ['configuration_id', 'at']);
  // Those with a user have one already.
  await sql`create index login_attempt_without_user_idx on login_attempt (at) where user_id is null`.execute(
    db,
  );
}
