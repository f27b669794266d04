/**
 * Owns the store over SQL: the port put together from the queries of each kind of thing. It refuses to own what
 * databases do differently: opening, transactions and errors are in `sqlite.ts` and `postgres.ts`.
 */
import type { Kysely } from 'kysely';
import type { Store, StoreReader, StoreTransaction } from '../domain/ports.ts';
import { createAuditReads, createAuditWrites } from './audit-queries.ts';
import {
  createDomainVerificationReads,
  createDomainVerificationWrites,
} from './domain-verification-queries.ts';
import { createExpiryWrites } from './expiry-queries.ts';
import { gatherReads } from './gathered-reads.ts';
import { createKeptAttemptReads } from './kept-attempt-queries.ts';
import type { Keyring } from './keyring.ts';
import { createLoginAttemptReads, createLoginAttemptWrites } from './login-attempt-queries.ts';
import { createLoginReads, createLoginWrites } from './login-queries.ts';
import { createOrganizationReads, createOrganizationWrites } from './organization-queries.ts';
import { createVersions, rememberReads } from './remembered-reads.ts';
import type { ReadVersion, Versions } from './remembered-reads.ts';
import type { Database } from './schema.ts';
import { createSessionReads, createSessionWrites } from './session-queries.ts';
import { createSigningKeyReads, createSigningKeyWrites } from './signing-key-queries.ts';
import { createQueryRunner } from './sql-session.ts';
import type { ExecuteQuery, SqlSession } from './sql-session.ts';
import {
  createSsoConfigurationReads,
  createSsoConfigurationWrites,
  findSsoConfigurations,
} from './sso-configuration-queries.ts';
import { createTestLoginReads, createTestLoginWrites } from './test-login-queries.ts';
import { createTokenReads, createTokenWrites, findTokensByDigests } from './token-queries.ts';
import { createUserReads, createUserWrites } from './user-queries.ts';

/** A database that has been opened and migrated. All its errors are ours: none is a driver's. */
export interface SqlDatabase {
  /** Reads what is committed, without waiting for transactions. */
  readonly reader: Kysely<Database>;
  /** Does as `reader.executeQuery`, in fewer steps where there is nothing to wait for. */
  readonly read?: ExecuteQuery;
  /** Where asking for it costs less than reading a row. */
  readonly readVersion?: ReadVersion;
  /** Where a statement costs more than its rows, and takes arrays. */
  readonly gathersReads?: boolean;
  /** Commits when the work resolves, rolls back when it fails. May run the work again. */
  readonly runTransaction: <Result>(
    work: (db: Kysely<Database>) => Promise<Result>,
  ) => Promise<Result>;
  /** Runs one write by itself: durable when it resolves, and holding its locks no longer than the database needs. */
  readonly runWrite: (write: (db: Kysely<Database>) => Promise<unknown>) => Promise<unknown>;
  /** Whether transactions run at the same time, so that rows have to be locked. */
  readonly locksRows: boolean;
  /** Waits for what is running. Calls after it fail. */
  readonly close: () => Promise<void>;
}

export function createSqlStore(database: SqlDatabase, keyring: Keyring): Store {
  const { reader, locksRows, runTransaction } = database;
  const versions = database.readVersion && createVersions(database.readVersion);
  const read = database.read ?? ((query) => reader.executeQuery(query));
  const runBy = createQueryRunner(reader);
  const reading: SqlSession = { db: reader, keyring, locksRows, run: runBy(read) };
  const spareReads = (reads: StoreReader): StoreReader => {
    if (versions !== undefined) return rememberRows(reads, versions);
    return database.gathersReads === true ? gatherRows(reads, reading) : reads;
  };
  return {
    ...spareReads(createReads(reading)),
    async transaction(work) {
      try {
        return await runTransaction((db) => {
          const run = runBy((query) => db.executeQuery(query));
          const session: SqlSession = { db, keyring, locksRows, run };
          return work({ ...createReads(session), ...createWrites(session) });
        });
      } finally {
        versions?.forget();
      }
    },
    ping: async () => {
      await database.runWrite(countWrite);
    },
    close: () => database.close(),
  };
}

/** Of what is asked for again and again: every call has a token, and most are about the same few things. */
function rememberRows(reads: StoreReader, { ask, recall }: Versions): StoreReader {
  const itself = (key: string): string => key;
  return {
    ...reads,
    findTokenByDigest: rememberReads((digest) => reads.findTokenByDigest(digest), ask, itself),
    findSessionByDigest(digest) {
      // For what is recalled after it.
      ask();
      return reads.findSessionByDigest(digest);
    },
    findSsoConfiguration: rememberReads((id) => reads.findSsoConfiguration(id), recall, itself),
    findOrganization: rememberReads((id) => reads.findOrganization(id), recall, itself),
    listSsoConfigurations: rememberReads(
      (organizationId, page) => reads.listSsoConfigurations(organizationId, page),
      recall,
      // First pages alone: strangers to the list can make up where others begin, without end.
      (organizationId, { size, after }) =>
        after === undefined ? `${size} ${organizationId}` : undefined,
    ),
  };
}

/** Of what nearly every call asks for. */
function gatherRows(reads: StoreReader, session: SqlSession): StoreReader {
  return {
    ...reads,
    findTokenByDigest: gatherReads(
      async (digest) => reads.findTokenByDigest(digest),
      (digests) => findTokensByDigests(session, digests),
    ),
    findSsoConfiguration: gatherReads(
      async (id) => reads.findSsoConfiguration(id),
      (ids) => findSsoConfigurations(session, ids),
    ),
  };
}

function createReads(session: SqlSession): StoreReader {
  return {
    ...createOrganizationReads(session),
    ...createUserReads(session),
    ...createSsoConfigurationReads(session),
    ...createDomainVerificationReads(session),
    ...createTokenReads(session),
    ...createSigningKeyReads(session),
    ...createLoginReads(session),
    ...createSessionReads(session),
    ...createLoginAttemptReads(session),
    ...createKeptAttemptReads(session),
    ...createTestLoginReads(session),
    ...createAuditReads(session),
  };
}

function createWrites(session: SqlSession): Omit<StoreTransaction, keyof StoreReader> {
  return {
    ...createOrganizationWrites(session),
    ...createUserWrites(session),
    ...createSsoConfigurationWrites(session),
    ...createDomainVerificationWrites(session),
    ...createTokenWrites(session),
    ...createSigningKeyWrites(session),
    ...createLoginWrites(session),
    ...createSessionWrites(session),
    ...createLoginAttemptWrites(session),
    ...createTestLoginWrites(session),
    ...createAuditWrites(session),
    ...createExpiryWrites(session),
  };
}

/** Changes a row, because a commit that has nothing to save succeeds where those of others hang. */
function countWrite(db: Kysely<Database>): Promise<unknown> {
  return db
    .updateTable('store_lock')
    .set((eb) => ({ write_count: eb('write_count', '+', 1) }))
    .where('name', '=', 'writable')
    .execute();
}
