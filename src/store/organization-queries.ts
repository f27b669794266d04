/** Owns the queries over organizations. */
import type { Organization } from '../domain/organization.ts';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import { readStrings, writeJson } from './json-column.ts';
import type { OrganizationTable } from './schema.ts';
import { lockByName, lockRow } from './sql-session.ts';
import type { FixedQuery, SqlSession } from './sql-session.ts';

type Reads = Pick<StoreReader, 'findOrganization' | 'isEmpty'>;
type Writes = Pick<
  StoreTransaction,
  | 'lockOrganization'
  | 'lockOperators'
  | 'insertOrganization'
  | 'updateOrganization'
  | 'deleteOrganization'
>;

const COLUMNS = ['id', 'name', 'invite_domains', 'created_at', 'updated_at'] as const;

type Row = Pick<OrganizationTable, (typeof COLUMNS)[number]>;

/** Takes the id. */
const findById: FixedQuery<Row> = (db) =>
  db.selectFrom('organization').select(COLUMNS).where('id', '=', '');

export function createOrganizationReads({ db, run }: SqlSession): Reads {
  return {
    async findOrganization(id) {
      const [row] = await run(findById, id);
      return row && readOrganization(row);
    },

    async isEmpty() {
      const row = await db.selectFrom('organization').select('id').limit(1).executeTakeFirst();
      return row === undefined;
    },
  };
}

export function createOrganizationWrites(session: SqlSession): Writes {
  const { db } = session;
  return {
    async lockOrganization(id) {
      const query = db.selectFrom('organization').select(COLUMNS).where('id', '=', id);
      const row = await lockRow(session, query).executeTakeFirst();
      return row && readOrganization(row);
    },

    lockOperators: () => lockByName(session, 'operators'),

    async insertOrganization(organization) {
      await db.insertInto('organization').values(writeOrganization(organization)).execute();
    },

    async updateOrganization(organization) {
      const { id, created_at: _, ...changed } = writeOrganization(organization);
      await db.updateTable('organization').set(changed).where('id', '=', id).execute();
    },

    async deleteOrganization(id) {
      // The rest goes by foreign keys.
      await db.deleteFrom('organization').where('id', '=', id).execute();
    },
  };
}

function readOrganization(row: Row): Organization {
  return {
    id: row.id,
    name: row.name,
    inviteDomains: readStrings(row.invite_domains),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

function writeOrganization(organization: Organization): OrganizationTable {
  return {
    id: organization.id,
    name: organization.name,
    invite_domains: writeJson(organization.inviteDomains),
    created_at: organization.createdAt.getTime(),
    updated_at: organization.updatedAt.getTime(),
  };
}
