/** Owns the tables of logins: identities, sessions, logins that wait for their callback, and attempts. */
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

export async function createLoginTables(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  const { schema } = db;
  const { createTable, createIndex } = createTableBuilders(db, text);

  await schema
    .createTable('identity')
    .addColumn('configuration_id', text, (column) =>
      column.notNull().references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('identity_key', text, (column) => column.notNull())
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('user_id', text, (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addPrimaryKeyConstraint('identity_pkey', ['configuration_id', 'identity_key'])
    .execute();
  await createIndex('identity', ['user_id', 'configuration_id']);

  await createTable('session')
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('user_id', text, (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addColumn('configuration_id', text, (column) =>
      column.notNull().references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('last_used_at', bigint, (column) => column.notNull())
    .execute();
  await createIndex('session', ['digest'], { unique: true });
  await createIndex('session', ['user_id']);
  await createIndex('session', ['configuration_id']);
  await createIndex('session', ['created_at']);
  await createIndex('session', ['last_used_at']);

  await schema
    .createTable('pending_login')
    .addColumn('state_digest', text, (column) => column.notNull().primaryKey())
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('browser_digest', text, (column) => column.notNull())
    .addColumn('organization_id', text, (column) => column.notNull())
    .addColumn('configuration_id', text, (column) =>
      column.notNull().references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('revision', bigint, (column) => column.notNull())
    .addColumn('secrets', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('expires_at', bigint, (column) => column.notNull())
    .addColumn('taken_at', bigint)
    .execute();
  await createIndex('pending_login', ['configuration_id']);
  await createIndex('pending_login', ['expires_at']);

  await createTable('login_attempt')
    .addColumn('organization_id', text, (column) =>
      column.notNull().references('organization.id').onDelete('cascade'),
    )
    .addColumn('configuration_id', text, (column) =>
      column.notNull().references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('revision', bigint, (column) => column.notNull())
    .addColumn('outcome', text, (column) => column.notNull())
    .addColumn('stage', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('detail', text, (column) => column.notNull())
    .addColumn('masked_email', text, (column) => column.notNull())
    .addColumn('address', text, (column) => column.notNull())
    .addColumn('at', bigint, (column) => column.notNull())
    .addColumn('claims', text)
    .addColumn('key_id', text)
    .execute();
  await createIndex('login_attempt', ['organization_id', 'at', 'id']);
  await createIndex('login_attempt', ['configuration_id', 'at', 'id']);
  await createIndex('login_attempt', ['configuration_id', 'at', 'id'], {
    onlyWith: 'key_id',
    name: 'login_attempt_with_claims_idx',
  });
  await createIndex('login_attempt', ['at']);
}
