/**
 * Owns the scaled database: connects to a PostgreSQL server, or to the one of several that takes writes, brings its
 * schema up to date, and binds the portable store to it. It refuses to own queries (`sql-store.ts`), the schema
 * (`migrate.ts`), connections (`postgres-pool.ts`) and the meaning of errors (`postgres-errors.ts`).
 *
 * Any number of processes may share a database. Transactions run at READ COMMITTED and lock the rows they decide by.
 */
import { Kysely } from 'kysely';
import type { PoolState } from '../domain/observation.ts';
import type { RateLimiter } from '../domain/rate-limiter.ts';
import type { Store } from '../domain/ports.ts';
import type { Keyring } from './keyring.ts';
import type { KnownMigration } from './migrations/known-migrations.ts';
import { parsePostgresUrl } from './postgres-address.ts';
import type { PostgresAddress } from './postgres-address.ts';
import {
  createReadDialect,
  createTransactionDialect,
  repeatTransaction,
} from './postgres-dialect.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { explainPostgresFailure } from './postgres-open-failure.ts';
import { createReadLanes, createTransactionPool } from './postgres-pool.ts';
import { createPrimaryConnector } from './postgres-primary.ts';
import type { PrimaryConnector } from './postgres-primary.ts';
import { createSqlRateLimiter } from './rate-limit-queries.ts';
import type { Database } from './schema.ts';
import { createSqlStore } from './sql-store.ts';

export interface PostgresStoreOptions {
  /** As `postgres-address.ts` reads it. */
  readonly url: string;
  readonly keyring: Keyring;
  /** How long a server that is starting is waited for, in milliseconds; 10 seconds unless given. */
  readonly waitMs?: number;
  /** For tests: instead of those that this code knows. */
  readonly migrations?: readonly KnownMigration[];
}

export interface PostgresStore extends Store {
  /** Counts across all processes that share the database. */
  readonly rateLimiter: RateLimiter;
  /** Of the connections for transactions. */
  readonly readPool: () => PoolState;
}

/** Connections for reads, which share them. */
const READ_LANES = 4;

/** Connects, brings the schema up to date, and is ready. Fails with `StoreOpenError` when it cannot be used. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const address = parsePostgresUrl(options.url);
  const primary = createPrimaryConnector(address);
  try {
    await migratePostgres(primary, options.waitMs ?? 10_000, options.migrations);
  } catch (error) {
    throw explainPostgresFailure(address, error);
  }
  return bindStore(address, primary, options.keyring);
}

function bindStore(
  address: PostgresAddress,
  primary: PrimaryConnector,
  keyring: Keyring,
): PostgresStore {
  const pool = createTransactionPool(primary, address.maxTransactions);
  const lanes = createReadLanes(primary, READ_LANES);
  const writer = new Kysely<Database>({ dialect: createTransactionDialect(pool) });
  const reader = new Kysely<Database>({ dialect: createReadDialect(lanes) });
  const store = createSqlStore(
    {
      reader,
      runTransaction: (work) => repeatTransaction(() => writer.transaction().execute(work)),
      // Without a transaction around it: a process that is stopped in the middle of one would keep the others waiting.
      // Not where reads travel together: what hangs there keeps those behind it waiting.
      runWrite: (write) => write(writer),
      gathersReads: true,
      locksRows: true,
      close: async () => {
        await Promise.all([pool.close(), lanes.close()]);
      },
    },
    keyring,
  );
  return { ...store, rateLimiter: createSqlRateLimiter(reader), readPool: () => pool.readState() };
}
