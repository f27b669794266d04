/**
 * Owns the queries over audit records. Sign-ins are the most of what happens, and their attempts say all that a record
 * would: so these are read as records, and both kinds are merged into one list.
 */
import { sql } from 'kysely';
import type { AuditActorKind, AuditRecord, AuditSubjectType } from '../domain/audit.ts';
import type { AuditQuery, AuditReader, AuditWriter } from '../domain/audit-ports.ts';
import type { PageRequest } from '../domain/page.ts';
import { readStrings, writeJson } from './json-column.ts';
import { cutPage, readKeyCursor, readLimit } from './keyset-page.ts';
import type { AuditRecordTable, Database } from './schema.ts';
import type { SqlSession } from './sql-session.ts';

/** What a login attempt is as a record. */
const SIGN_IN: {
  readonly action: string;
  readonly actorKind: AuditActorKind;
  readonly subjectType: AuditSubjectType;
} = { action: 'sign_in', actorKind: 'sso_login', subjectType: 'sso_configuration' };

export function createAuditReads({ db }: SqlSession): AuditReader {
  return {
    async listAuditRecords(query, page) {
      const rows = [
        ...(await selectRecords(db, query, page)),
        ...(await listSignIns(db, query, page)),
      ];
      const sign = query.descending ? -1 : 1;
      // Ids are compared as the databases do: by their bytes.
      rows.sort((a, b) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1)));
      return cutPage(rows, page, readRecord, ({ at, id }) => [at, id]);
    },
  };
}

export function createAuditWrites({ db }: SqlSession): AuditWriter {
  return {
    async insertAuditRecord(record) {
      await db.insertInto('audit_record').values(writeRecord(record)).execute();
    },
  };
}

async function selectRecords(
  db: SqlSession['db'],
  query: AuditQuery,
  page: PageRequest,
): Promise<readonly AuditRecordTable[]> {
  const { organizationId, actorIds, hasActor, subjectIds, subjectTypes } = query;
  const direction = query.descending ? 'desc' : 'asc';
  let rows = db
    .selectFrom('audit_record')
    .selectAll()
    .where(createTimeRange(query, page))
    .orderBy('at', direction)
    .orderBy('id', direction)
    .limit(readLimit(page));
  if (organizationId !== undefined) rows = rows.where('organization_id', '=', organizationId);
  if (actorIds !== undefined) rows = rows.where('actor_id', 'in', actorIds);
  if (hasActor !== undefined) rows = rows.where('actor_id', hasActor ? 'is not' : 'is', null);
  if (subjectIds !== undefined) rows = rows.where('subject_id', 'in', subjectIds);
  if (subjectTypes !== undefined) rows = rows.where('subject_type', 'in', subjectTypes);
  return rows.execute();
}

/** Over all organizations, attempts are sorted by two indexes: of those that signed somebody in, and of the others. */
async function listSignIns(
  db: SqlSession['db'],
  query: AuditQuery,
  page: PageRequest,
): Promise<readonly AuditRecordTable[]> {
  if (query.organizationId !== undefined || query.hasActor !== undefined) {
    return selectSignIns(db, query, page);
  }
  return [
    ...(await selectSignIns(db, { ...query, hasActor: true }, page)),
    ...(await selectSignIns(db, { ...query, hasActor: false }, page)),
  ];
}

async function selectSignIns(
  db: SqlSession['db'],
  query: AuditQuery,
  page: PageRequest,
): Promise<readonly AuditRecordTable[]> {
  const { organizationId, actorIds, hasActor, subjectIds, subjectTypes } = query;
  if (subjectTypes?.includes(SIGN_IN.subjectType) === false) return [];
  const direction = query.descending ? 'desc' : 'asc';
  let attempts = db
    .selectFrom('login_attempt')
    .select(['id', 'organization_id', 'at', 'user_id', 'configuration_id', 'reason'])
    .where(createTimeRange(query, page))
    .orderBy('at', direction)
    .orderBy('id', direction)
    .limit(readLimit(page));
  if (organizationId !== undefined) {
    attempts = attempts.where('organization_id', '=', organizationId);
  }
  if (actorIds !== undefined) attempts = attempts.where('user_id', 'in', actorIds);
  if (hasActor !== undefined)
    attempts = attempts.where('user_id', hasActor ? 'is not' : 'is', null);
  if (subjectIds !== undefined) attempts = attempts.where('configuration_id', 'in', subjectIds);
  const rows = await attempts.execute();
  return rows.map(({ id, organization_id, at, user_id, configuration_id, reason }) => ({
    id,
    organization_id,
    at,
    actor_kind: SIGN_IN.actorKind,
    actor_id: user_id,
    credential_id: null,
    subject_type: SIGN_IN.subjectType,
    subject_id: configuration_id,
    action: SIGN_IN.action,
    reason,
    fields: '[]',
    count: 1,
  }));
}

/** Both tables name the columns alike. */
function createTimeRange({ from, to, descending }: AuditQuery, page: PageRequest) {
  const conditions = [sql<boolean>`1 = 1`];
  if (from !== undefined) conditions.push(sql`at >= ${from.getTime()}`);
  if (to !== undefined) conditions.push(sql`at < ${to.getTime()}`);
  if (page.after !== undefined) {
    const [at, id] = readKeyCursor(page.after, 'number');
    conditions.push(sql`(at, id) ${sql.raw(descending ? '<' : '>')} (${at}, ${id})`);
  }
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

function readRecord(row: AuditRecordTable): AuditRecord {
  const { subject_type, subject_id } = row;
  return {
    id: row.id,
    organizationId: row.organization_id ?? undefined,
    at: new Date(row.at),
    actor: {
      kind: row.actor_kind,
      userId: row.actor_id ?? undefined,
      credentialId: row.credential_id ?? undefined,
    },
    subject:
      subject_type === null || subject_id === null
        ? undefined
        : { type: subject_type, id: subject_id },
    action: row.action,
    reason: row.reason ?? undefined,
    fields: readStrings(row.fields),
    count: row.count,
  };
}

function writeRecord(record: AuditRecord): Database['audit_record'] {
  const { actor, subject } = record;
  return {
    id: record.id,
    organization_id: record.organizationId ?? null,
    at: record.at.getTime(),
    actor_kind: actor.kind,
    actor_id: actor.userId ?? null,
    credential_id: actor.credentialId ?? null,
    subject_type: subject?.type ?? null,
    subject_id: subject?.id ?? null,
    action: record.action,
    reason: record.reason ?? null,
    fields: writeJson(record.fields),
    count: record.count,
  };
}
