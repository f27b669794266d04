/** Owns the table of test logins. */
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

export async function createTestLoginTable(
  db: Kysely<unknown>,
  { text }: ColumnTypes,
): Promise<void> {
  const { createTable, createIndex } = createTableBuilders(db, text);
  await createTable('test_login')
    .addColumn('organization_id', text, (column) =>
      column.notNull().references('organization.id').onDelete('cascade'),
    )
    // Null for the draft of a configuration that is not stored.
    .addColumn('configuration_id', text, (column) =>
      column.references('sso_configuration.id').onDelete('cascade'),
    )
    .addColumn('phase', text, (column) => column.notNull())
    .addColumn('token_digest', text, (column) => column.notNull())
    .addColumn('state_digest', text)
    .addColumn('browser_digest', text)
    .addColumn('content', text, (column) => column.notNull())
    .addColumn('key_id', text, (column) => column.notNull())
    .addColumn('expires_at', bigint, (column) => column.notNull())
    .execute();
  await createIndex('test_login', ['token_digest'], { unique: true });
  await createIndex('test_login', ['state_digest'], { unique: true });
  await createIndex('test_login', ['organization_id']);
  await createIndex('test_login', ['configuration_id']);
  await createIndex('test_login', ['expires_at']);
}
