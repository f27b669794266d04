/** Owns which store the configuration means, and where its encryption keys are. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { Config, DatabaseConfig } from './config.ts';
import type { PoolState } from './domain/observation.ts';
import type { Store } from './domain/ports.ts';
import type { RateLimiter } from './domain/rate-limiter.ts';
import { createMemoryRateLimiter } from './limits/memory-rate-limiter.ts';
import { rememberRefusals } from './limits/remember-refusals.ts';
import { loadOrCreateKeyFile } from './store/key-file.ts';
import type { Keyring } from './store/keyring.ts';
import { parsePostgresUrl } from './store/postgres-address.ts';
import { openSqliteStore } from './store/sqlite.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Counts for all processes that share the store. */
  readonly rateLimiter: RateLimiter;
  /** Absent where there is none. */
  readonly readPool?: () => PoolState;
}

/**
 * Opens it, made and brought up to date where it has to be.
 *
 * @param localRateLimiter counts for the processes that share an embedded database.
 */
export async function openStore(
  { database, encryptionKeys }: Config,
  localRateLimiter: RateLimiter = createMemoryRateLimiter(),
): Promise<OpenedStore> {
  if (database.kind === 'postgres') {
    if (encryptionKeys === undefined) throw new Error('PostgreSQL needs encryption keys');
    // Its driver takes time and memory that the embedded store does not need.
    const { openPostgresStore } = await import('./store/postgres.ts');
    const store = await openPostgresStore({ url: database.url, keyring: encryptionKeys });
    const rateLimiter = rememberRefusals(store.rateLimiter, () => performance.now());
    return { store, rateLimiter, readPool: store.readPool };
  }
  const { file } = database;
  const keyring = encryptionKeys ?? (await loadKeyFileOf(file));
  const store = await openSqliteStore({ file, keyring });
  return { store, rateLimiter: localRateLimiter };
}

/** For people: an absolute path, or the address without credentials. */
export function describeDatabase(database: DatabaseConfig): string {
  return database.kind === 'sqlite' ? resolve(database.file) : parsePostgresUrl(database.url).name;
}

/** Where the keys of a SQLite database are when no variable has them. */
export function locateKeyFile(databaseFile: string): string {
  return join(dirname(resolve(databaseFile)), 'claimgate.key');
}

/** A key file that is made anew beside a database that is there would open none of its secrets. */
async function loadKeyFileOf(databaseFile: string): Promise<Keyring> {
  const keyFile = locateKeyFile(databaseFile);
  if (existsSync(databaseFile) && !existsSync(keyFile)) {
    throw new Error(
      `The database ${databaseFile} is there, and the key file ${keyFile} that its secrets are encrypted under is not. Put it back, or set CLAIMGATE_ENCRYPTION_KEYS.`,
    );
  }
  return loadOrCreateKeyFile(keyFile);
}
