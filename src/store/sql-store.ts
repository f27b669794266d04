/**
 * Owns the store over SQL: the port put together from the queries of each kind of thing. It refuses to own what
 * databases do differently: opening, transactions and errors are in `sqlite.ts` and `postgres.ts`.
 */
import type { Kysely } from 'kysely';
import type { Store, StoreReader, StoreTransaction } from '../domain/ports.ts';
import {
  createDomainVerificationReads,
  createDomainVerificationWrites,
} from './domain-verification-queries.ts';
import { createExpiryWrites } from './expiry-queries.ts';
import { createKeptAttemptReads } from './kept-attempt-queries.ts';
import type { Keyring } from './keyring.ts';
import { createLoginAttemptReads, createLoginAttemptWrites } from './login-attempt-queries.ts';
import { createLoginReads, createLoginWrites } from './login-queries.ts';
import { createOrganizationReads, createOrganizationWrites } from './organization-queries.ts';
import type { Database } from './schema.ts';
import {
  createSessionReads,
  createSessionWrites,
  prepareSessionQueries,
} from './session-queries.ts';
import type { SessionPrepared } from './session-queries.ts';
import { createSigningKeyReads, createSigningKeyWrites } from './signing-key-queries.ts';
import type { SqlSession } from './sql-session.ts';
import {
  createSsoConfigurationReads,
  createSsoConfigurationWrites,
  prepareSsoConfigurationQueries,
} from './sso-configuration-queries.ts';
import type { SsoConfigurationPrepared } from './sso-configuration-queries.ts';
import { createTestLoginReads, createTestLoginWrites } from './test-login-queries.ts';
import { createTokenReads, createTokenWrites, prepareTokenQueries } from './token-queries.ts';
import type { TokenPrepared } from './token-queries.ts';
import { createUserReads, createUserWrites } from './user-queries.ts';

/** A database that has been opened and migrated. All its errors are ours: none is a driver's. */
export interface SqlDatabase {
  /** Reads what is committed, without waiting for transactions. */
  readonly reader: Kysely<Database>;
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

interface Prepared {
  readonly ssoConfigurations: SsoConfigurationPrepared;
  readonly tokens: TokenPrepared;
  readonly sessions: SessionPrepared;
}

export function createSqlStore(database: SqlDatabase, keyring: Keyring): Store {
  const { reader, locksRows, runTransaction } = database;
  const prepared: Prepared = {
    ssoConfigurations: prepareSsoConfigurationQueries(reader),
    tokens: prepareTokenQueries(reader),
    sessions: prepareSessionQueries(reader),
  };
  return {
    ...createReads({ db: reader, keyring, locksRows }, prepared),
    transaction: (work) =>
      runTransaction((db) => {
        const session: SqlSession = { db, keyring, locksRows };
        return work({ ...createReads(session, prepared), ...createWrites(session, prepared) });
      }),
    ping: async () => {
      await database.runWrite(countWrite);
    },
    close: () => database.close(),
  };
}

function createReads(
  session: SqlSession,
  { ssoConfigurations, tokens, sessions }: Prepared,
): StoreReader {
  return {
    ...createOrganizationReads(session),
    ...createUserReads(session),
    ...createSsoConfigurationReads(session, ssoConfigurations),
    ...createDomainVerificationReads(session),
    ...createTokenReads(session, tokens),
    ...createSigningKeyReads(session),
    ...createLoginReads(session),
    ...createSessionReads(session, sessions),
    ...createLoginAttemptReads(session),
    ...createKeptAttemptReads(session),
    ...createTestLoginReads(session),
  };
}

function createWrites(
  session: SqlSession,
  { ssoConfigurations, tokens, sessions }: Prepared,
): Omit<StoreTransaction, keyof StoreReader> {
  return {
    ...createOrganizationWrites(session),
    ...createUserWrites(session),
    ...createSsoConfigurationWrites(session, ssoConfigurations),
    ...createDomainVerificationWrites(session),
    ...createTokenWrites(session, tokens),
    ...createSigningKeyWrites(session),
    ...createLoginWrites(session),
    ...createSessionWrites(session, sessions),
    ...createLoginAttemptWrites(session),
    ...createTestLoginWrites(session),
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
