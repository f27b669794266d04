/** Owns what makes sessions of tokens possible: a session belongs to a configuration or to a token. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

/** SQLite cannot loosen a column, so the table is made anew everywhere. Nobody is signed out by it. */
export async function createTokenSessions(
  db: Kysely<unknown>,
  { text }: ColumnTypes,
): Promise<void> {
  const { createTable, createIndex } = createTableBuilders(db, text);
  await sql`create table session_before as select * from session`.execute(db);
  await db.schema.dropTable('session').execute();
  await createTable('session')
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('user_id', text, (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addColumn('configuration_id', text, (column) =>
      column.references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('token_id', text, (column) =>
      column.references('personal_access_token.id').onDelete('cascade'),
    )
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('last_used_at', bigint, (column) => column.notNull())
    .addCheckConstraint(
      'session_origin_check',
      sql`(configuration_id is null) <> (token_id is null)`,
    )
    .execute();
  await sql`insert into session (id, digest, user_id, configuration_id, created_at, last_used_at)
    select id, digest, user_id, configuration_id, created_at, last_used_at from session_before`.execute(
    db,
  );
  await db.schema.dropTable('session_before').execute();
  await createIndex('session', ['digest'], { unique: true });
  await createIndex('session', ['user_id']);
  await createIndex('session', ['configuration_id']);
  await createIndex('session', ['token_id']);
  await createIndex('session', ['created_at']);
  await createIndex('session', ['last_used_at']);
}
