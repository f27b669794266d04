/** Owns which of the two databases a command opens, and the keys that open its secrets. */
import type { Config, DatabaseConfig } from '../config.ts';
import { locateKeyFile } from '../open-store.ts';
import { loadKeyFile } from '../store/key-file.ts';
import type { Keyring } from '../store/keyring.ts';
import type { PlainDatabase } from '../store/plain-database.ts';
import { makePlainSqlite, openPlainSqlite } from '../store/plain-sqlite.ts';
import type { Company } from '../store/plain-sqlite.ts';

/** One that is there. @param snapshot whether everything is read as it was at the beginning; SQLite's `alone` always does */
export async function openPlain(
  database: DatabaseConfig,
  company: Company,
  snapshot = false,
): Promise<PlainDatabase> {
  if (database.kind === 'sqlite') return openPlainSqlite(database.file, company);
  const { openPlainPostgres } = await import('../store/plain-postgres.ts');
  return openPlainPostgres({ url: database.url, company, snapshot });
}

/** Alone, and with its tables where it had none. */
export async function makePlain(database: DatabaseConfig): Promise<PlainDatabase> {
  if (database.kind === 'sqlite') return makePlainSqlite(database.file);
  const { openPlainPostgres } = await import('../store/plain-postgres.ts');
  return openPlainPostgres({ url: database.url, company: 'alone', make: true });
}

export interface FoundKeys {
  readonly keyring: Keyring;
  /** CLAIMGATE_ENCRYPTION_KEYS, or the path of the key file. */
  readonly place: string;
}

/** The keys that servers on these databases have: the variable's, else those of the first key file. None is made. */
export async function findKeys(
  { encryptionKeys }: Pick<Config, 'encryptionKeys'>,
  databases: readonly DatabaseConfig[],
): Promise<FoundKeys | undefined> {
  if (encryptionKeys !== undefined) {
    return { keyring: encryptionKeys, place: 'CLAIMGATE_ENCRYPTION_KEYS' };
  }
  for (const database of databases) {
    if (database.kind !== 'sqlite') continue;
    const place = locateKeyFile(database.file);
    const keyring = await loadKeyFile(place);
    if (keyring !== undefined) return { keyring, place };
  }
  return undefined;
}
