/**
 * Owns the queries over login attempts, whose claims are stored encrypted and kept for the newest alone. New is what
 * has ended last: an attempt's id is as old as the login's start, minutes before.
 */
import { sql } from 'kysely';
import type { ExpressionBuilder } from 'kysely';
import { isWritable } from '../domain/claims-depth.ts';
import type { ListedLoginAttempt, LoginAttempt } from '../domain/login-attempt.ts';
import type { LoginReader, LoginWriter } from '../domain/login-ports.ts';
import type { Cursor } from '../domain/page.ts';
import { writeJson } from './json-column.ts';
import { cutPage, readKeyCursor, readLimit } from './keyset-page.ts';
import type { Database, LoginAttemptTable } from './schema.ts';
import { openOrRefuse, sealSecret } from './secret-box.ts';
import type { SecretPlace } from './secret-box.ts';
import type { SqlSession } from './sql-session.ts';

type Reads = Pick<LoginReader, 'listLoginAttempts' | 'findLoginAttempt' | 'readLoginAttemptClaims'>;
type Writes = Pick<LoginWriter, 'insertLoginAttempt'>;

/** The columns that an attempt is read from. */
export const ATTEMPT_COLUMNS = [
  'id',
  'organization_id',
  'configuration_id',
  'revision',
  'outcome',
  'stage',
  'reason',
  'detail',
  'masked_email',
  'address',
  'at',
  'user_id',
] as const;

type Row = Pick<LoginAttemptTable, (typeof ATTEMPT_COLUMNS)[number]>;

/** In bytes of JSON. Larger ones are refused by the claims policy anyway. */
const MAX_CLAIMS = 64 * 1024;

export function createLoginAttemptReads({ db, keyring }: SqlSession): Reads {
  return {
    async listLoginAttempts(filter, page) {
      const { organizationId, ssoConfigurationId, outcome, maskedEmail, claimsKept } = filter;
      let query = db
        .selectFrom('login_attempt')
        .select([...ATTEMPT_COLUMNS, 'key_id'])
        .where('organization_id', '=', organizationId)
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(readLimit(page));
      if (ssoConfigurationId !== undefined) {
        query = query.where('configuration_id', '=', ssoConfigurationId);
      }
      if (outcome !== undefined) query = query.where('outcome', '=', outcome);
      if (maskedEmail !== undefined) {
        query = query.where(
          (eb) => sql<boolean>`lower(${eb.ref('masked_email')}) = lower(${maskedEmail})`,
        );
      }
      if (claimsKept === true) query = query.where('key_id', 'is not', null);
      if (page.after !== undefined) query = query.where(isBefore(page.after));
      return cutPage(await query.execute(), page, readListed, ({ at, id }) => [at, id]);
    },

    async findLoginAttempt(id) {
      const row = await db
        .selectFrom('login_attempt')
        .select([...ATTEMPT_COLUMNS, 'key_id'])
        .where('id', '=', id)
        .executeTakeFirst();
      return row && readListed(row);
    },

    async readLoginAttemptClaims(id) {
      const row = await db
        .selectFrom('login_attempt')
        .select(['configuration_id', 'claims', 'key_id'])
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined || row.claims === null || row.key_id === null) return undefined;
      const place = placeClaims(row.configuration_id, id);
      return JSON.parse(
        openOrRefuse(
          keyring,
          place,
          { keyId: row.key_id, box: row.claims },
          'The claims of this attempt cannot be decrypted. Ask the operator to restore the encryption key they are under.',
        ),
      );
    },
  };
}

export function createLoginAttemptWrites({ db, keyring }: SqlSession): Writes {
  const sealClaims = (
    attempt: LoginAttempt,
    claims: Readonly<Record<string, unknown>> | undefined,
  ): Pick<LoginAttemptTable, 'claims' | 'key_id'> => {
    const none = { claims: null, key_id: null };
    if (claims === undefined || !isWritable(claims)) return none;
    const json = writeJson(claims);
    if (Buffer.byteLength(json) > MAX_CLAIMS) return none;
    const place = placeClaims(attempt.ssoConfigurationId, attempt.id);
    const { keyId, box } = sealSecret(keyring, place, json);
    return { claims: box, key_id: keyId };
  };

  return {
    async insertLoginAttempt(attempt, claims, { claimsPerConfiguration, maxAgeMs }) {
      if (maxAgeMs === 0) return;
      const kept = sealClaims(attempt, claimsPerConfiguration === 0 ? undefined : claims);
      await db
        .insertInto('login_attempt')
        .values({ ...writeAttempt(attempt), ...kept })
        .execute();
      // Where none are to be kept any more, those from before go too.
      if (kept.claims === null && claimsPerConfiguration > 0) return;
      const newestBeyond = await db
        .selectFrom('login_attempt')
        .select(['at', 'id'])
        .where('configuration_id', '=', attempt.ssoConfigurationId)
        .where('key_id', 'is not', null)
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .offset(claimsPerConfiguration)
        .executeTakeFirst();
      if (newestBeyond === undefined) return;
      const { at, id } = newestBeyond;
      await db
        .updateTable('login_attempt')
        .set({ claims: null, key_id: null })
        .where('configuration_id', '=', attempt.ssoConfigurationId)
        .where('key_id', 'is not', null)
        .where((eb) => sql<boolean>`(${eb.ref('at')}, ${eb.ref('id')}) <= (${at}, ${id})`)
        .execute();
    },
  };
}

export function placeClaims(configurationId: string, attemptId: string): SecretPlace {
  return ['login-attempt', configurationId, attemptId, 'claims'];
}

/** The attempts behind this one, in the order in which the newest end comes first. */
export function isBefore(cursor: Cursor) {
  const [at, id] = readKeyCursor(cursor, 'number');
  return (eb: ExpressionBuilder<Database, 'login_attempt'>) =>
    sql<boolean>`(${eb.ref('at')}, ${eb.ref('id')}) < (${at}, ${id})`;
}

function readListed(row: Row & Pick<LoginAttemptTable, 'key_id'>): ListedLoginAttempt {
  return { ...readAttempt(row), claimsKept: row.key_id !== null };
}

export function readAttempt(row: Row): LoginAttempt {
  return {
    id: row.id,
    organizationId: row.organization_id,
    ssoConfigurationId: row.configuration_id,
    revision: row.revision,
    outcome: row.outcome,
    stage: row.stage,
    reason: row.reason ?? undefined,
    detail: row.detail,
    maskedEmail: row.masked_email,
    address: row.address,
    at: new Date(row.at),
    ...(row.user_id !== null && { userId: row.user_id }),
  };
}

function writeAttempt(attempt: LoginAttempt): Row {
  return {
    id: attempt.id,
    organization_id: attempt.organizationId,
    configuration_id: attempt.ssoConfigurationId,
    revision: attempt.revision,
    outcome: attempt.outcome,
    stage: attempt.stage,
    reason: attempt.reason ?? null,
    detail: attempt.detail,
    masked_email: attempt.maskedEmail,
    address: attempt.address,
    at: attempt.at.getTime(),
    user_id: attempt.userId ?? null,
  };
}
