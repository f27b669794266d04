/** Owns the first tables. Once released, a migration never changes: what comes later comes in the next one. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

export async function createInitialTables(
  db: Kysely<unknown>,
  { text }: ColumnTypes,
): Promise<void> {
  const { schema } = db;
  const { createTable, createIndex } = createTableBuilders(db, text);

  await createTable('organization')
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('invite_domains', text, (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('updated_at', bigint, (column) => column.notNull())
    .execute();

  await createTable('user_account')
    .addColumn('organization_id', text, (column) =>
      column.notNull().references('organization.id').onDelete('cascade'),
    )
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('email', text, (column) => column.notNull())
    .addColumn('avatar_url', text, (column) => column.notNull())
    .addColumn('role', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('operator', 'integer', (column) => column.notNull())
    .addColumn('login_provider', text, (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('name_sort', text, (column) => column.notNull())
    .addColumn('name_search', text, (column) => column.notNull())
    .addColumn('email_search', text, (column) => column.notNull())
    .addColumn('email_key', text, (column) => column.notNull())
    .execute();
  await createIndex('user_account', ['organization_id', 'name_sort', 'id']);
  await createIndex('user_account', ['organization_id', 'created_at', 'id']);
  await createIndex('user_account', ['organization_id', 'role', 'status']);
  await createIndex('user_account', ['organization_id', 'email_key']);
  await createIndex('user_account', ['operator', 'status', 'organization_id'], {
    onlyWhere: 'operator',
  });

  await createTable('sso_configuration')
    .addColumn('organization_id', text, (column) =>
      column.notNull().references('organization.id').onDelete('cascade'),
    )
    .addColumn('client_id', text, (column) => column.notNull())
    .addColumn('issuer_url', text, (column) => column.notNull())
    .addColumn('registration_key', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('provider_type', text, (column) => column.notNull())
    .addColumn('claims', text, (column) => column.notNull())
    .addColumn('email_domains', text, (column) => column.notNull())
    .addColumn('display_name', text, (column) => column.notNull())
    .addColumn('additional_scopes', text, (column) => column.notNull())
    .addColumn('claims_expression', text, (column) => column.notNull())
    .addColumn('secret_origin', text, (column) => column.notNull())
    .addColumn('revision', bigint, (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('updated_at', bigint, (column) => column.notNull())
    .addColumn('client_secret', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .execute();
  await createIndex('sso_configuration', ['organization_id', 'id']);
  await createIndex('sso_configuration', ['organization_id', 'registration_key'], { unique: true });
  await createIndex('sso_configuration', ['key_id', 'id']);

  await schema
    .createTable('sso_configuration_domain')
    .addColumn('configuration_id', text, (column) =>
      column.notNull().references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('organization_id', text, (column) => column.notNull())
    .addColumn('domain', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('sso_configuration_domain_pkey', ['configuration_id', 'domain'])
    .execute();
  await createIndex('sso_configuration_domain', ['domain', 'organization_id', 'configuration_id']);

  await createTable('domain_verification')
    .addColumn('organization_id', text, (column) =>
      column.notNull().references('organization.id').onDelete('cascade'),
    )
    .addColumn('domain', text, (column) => column.notNull())
    .addColumn('domain_key', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('token', text, (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('verified_at', bigint)
    .execute();
  await createIndex('domain_verification', ['organization_id', 'id']);
  await createIndex('domain_verification', ['organization_id', 'domain_key'], { unique: true });
  await createIndex('domain_verification', ['domain_key', 'state', 'organization_id']);

  await createTable('personal_access_token')
    .addColumn('user_id', text, (column) =>
      column.notNull().references('user_account.id').onDelete('cascade'),
    )
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    // No reference: the creator may be an operator of another organization, and may be gone by now.
    .addColumn('creator_id', text, (column) => column.notNull())
    .addColumn('read_only', 'integer', (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .addColumn('expires_at', bigint)
    .addColumn('last_used_at', bigint)
    .execute();
  await createIndex('personal_access_token', ['digest'], { unique: true });
  await createIndex('personal_access_token', ['user_id', 'id']);

  await createTable('signing_key')
    .addColumn('public_key', text, (column) => column.notNull())
    .addColumn('private_key', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('created_at', bigint, (column) => column.notNull())
    .execute();

  await schema
    .createTable('store_lock')
    .addColumn('name', text, (column) => column.notNull().primaryKey())
    .execute();
  await sql`insert into store_lock (name) values ('operators'), ('signing_keys'), ('writable')`.execute(
    db,
  );
}
