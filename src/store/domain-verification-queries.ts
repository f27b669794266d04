/** Owns the queries over domain verifications. */
import type { DomainVerification } from '../domain/domain-verification.ts';
import type { StoreReader, StoreTransaction } from '../domain/ports.ts';
import { cutPage, readIdCursor, readLimit } from './keyset-page.ts';
import type { DomainVerificationTable } from './schema.ts';
import { lockRow } from './sql-session.ts';
import type { SqlSession } from './sql-session.ts';

type Reads = Pick<StoreReader, 'findDomainVerification' | 'listDomainVerifications'>;
type Writes = Pick<
  StoreTransaction,
  | 'lockDomainVerification'
  | 'insertDomainVerification'
  | 'updateDomainVerification'
  | 'deleteDomainVerification'
>;

const COLUMNS = [
  'id',
  'organization_id',
  'domain',
  'state',
  'token',
  'created_at',
  'verified_at',
] as const;

type Row = Pick<DomainVerificationTable, (typeof COLUMNS)[number]>;

export function createDomainVerificationReads({ db }: SqlSession): Reads {
  return {
    async findDomainVerification(id) {
      const row = await db
        .selectFrom('domain_verification')
        .select(COLUMNS)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && readVerification(row);
    },

    async listDomainVerifications(organizationId, page) {
      let query = db
        .selectFrom('domain_verification')
        .select(COLUMNS)
        .where('organization_id', '=', organizationId)
        .orderBy('id')
        .limit(readLimit(page));
      if (page.after !== undefined) query = query.where('id', '>', readIdCursor(page.after));
      return cutPage(await query.execute(), page, readVerification, ({ id }) => [id]);
    },
  };
}

export function createDomainVerificationWrites(session: SqlSession): Writes {
  const { db } = session;
  return {
    async lockDomainVerification(id) {
      const query = db.selectFrom('domain_verification').select(COLUMNS).where('id', '=', id);
      const row = await lockRow(session, query).executeTakeFirst();
      return row && readVerification(row);
    },

    async insertDomainVerification(verification) {
      await db.insertInto('domain_verification').values(writeVerification(verification)).execute();
    },

    async updateDomainVerification(verification) {
      const row = writeVerification(verification);
      const { id, organization_id: _, created_at: __, ...changed } = row;
      await db.updateTable('domain_verification').set(changed).where('id', '=', id).execute();
    },

    async deleteDomainVerification(id) {
      await db.deleteFrom('domain_verification').where('id', '=', id).execute();
    },
  };
}

function readVerification(row: Row): DomainVerification {
  return {
    id: row.id,
    organizationId: row.organization_id,
    domain: row.domain,
    state: row.state,
    token: row.token,
    createdAt: new Date(row.created_at),
    verifiedAt: row.verified_at === null ? undefined : new Date(row.verified_at),
  };
}

function writeVerification(verification: DomainVerification): DomainVerificationTable {
  return {
    id: verification.id,
    organization_id: verification.organizationId,
    domain: verification.domain,
    domain_key: verification.domain.toLowerCase(),
    state: verification.state,
    token: verification.token,
    created_at: verification.createdAt.getTime(),
    verified_at: verification.verifiedAt?.getTime() ?? null,
  };
}
