/** Owns the table of audit records, and makes login attempts the records of their sign-ins. */
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { ColumnTypes } from './known-migrations.ts';
import { bigint, createTableBuilders } from './table-builders.ts';

export async function createAuditTables(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { text } = types;
  const { createTable, createIndex } = createTableBuilders(db, text);
  // Nothing refers to another table: records outlive what they tell of, and lock nothing.
  await createTable('audit_record')
    .addColumn('organization_id', text)
    .addColumn('at', bigint, (column) => column.notNull())
    .addColumn('actor_kind', text, (column) => column.notNull())
    .addColumn('actor_id', text)
    .addColumn('credential_id', text)
    .addColumn('subject_type', text)
    .addColumn('subject_id', text)
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('fields', text, (column) => column.notNull())
    .addColumn('count', bigint, (column) => column.notNull())
    .execute();
  await createIndex('audit_record', ['at', 'id']);
  await createIndex('audit_record', ['organization_id', 'at', 'id']);
  await createIndex('audit_record', ['actor_id', 'at', 'id'], { onlyWith: 'actor_id' });
  await createIndex('audit_record', ['subject_id', 'at', 'id'], { onlyWith: 'subject_id' });
  await remakeLoginAttempts(db, types);
}

/**
 * An attempt gets the user whom it signed in, and no longer refers to the organization: that took a lock which has to be
 * taken before the user's, when nobody knows yet who the user is. It goes with the organization by its configuration.
 */
async function remakeLoginAttempts(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  const { createTable, createIndex } = createTableBuilders(db, text);
  await sql`create table login_attempt_before as select * from login_attempt`.execute(db);
  await db.schema.dropTable('login_attempt').execute();
  await createTable('login_attempt')
    .addColumn('organization_id', text, (column) => column.notNull())
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
    .addColumn('user_id', text)
    .addColumn('claims', text)
    .addColumn('key_id', text)
    .execute();
  const columns = sql.raw(
    'id, organization_id, configuration_id, revision, outcome, stage, reason, detail, masked_email, address, at, claims, key_id',
  );
  await sql`insert into login_attempt (${columns}) select ${columns} from login_attempt_before`.execute(
    db,
  );
  await db.schema.dropTable('login_attempt_before').execute();
  await createIndex('login_attempt', ['organization_id', 'at', 'id']);
  await createIndex('login_attempt', ['configuration_id', 'at', 'id']);
  await createIndex('login_attempt', ['configuration_id', 'at', 'id'], {
    onlyWith: 'key_id',
    name: 'login_attempt_with_claims_idx',
  });
  await createIndex('login_attempt', ['at']);
  await createIndex('login_attempt', ['at'], {
    onlyWith: 'user_id',
    name: 'login_attempt_with_user_idx',
  });
  await createIndex('login_attempt', ['user_id', 'at'], { onlyWith: 'user_id' });
}
