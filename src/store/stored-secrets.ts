/** Owns what can be said of the secrets of a store as a whole: how many are under which key, and whether they open. */
import type { PlainDatabase } from './plain-database.ts';
import type { Keyring } from './keyring.ts';
import { placeSecretOf, SEALED_COLUMNS, SEALED_TABLES } from './sealed-columns.ts';
import { openSecret, SecretBoxError } from './secret-box.ts';

export interface KeyUse {
  readonly keyId: string;
  readonly table: (typeof SEALED_TABLES)[number];
  readonly secrets: number;
}

/** How many secrets of each kind are under each key. */
export async function countSecrets(database: PlainDatabase): Promise<readonly KeyUse[]> {
  const uses: KeyUse[] = [];
  const tables = await database.listTables();
  // One of an older schema lacks some.
  for (const table of SEALED_TABLES.filter((table) => tables.includes(table))) {
    const rows = await database.all(
      `select key_id, count(*) as count from ${table} where key_id is not null group by key_id order by key_id`,
    );
    for (const { key_id, count } of rows) {
      uses.push({ keyId: String(key_id), table, secrets: Number(count) });
    }
  }
  return uses;
}

export interface SecretProblem {
  readonly keyId: string;
  readonly table: (typeof SEALED_TABLES)[number];
  readonly reason: string;
}

/** Opens one secret of each kind under each key. Resolves to those that do not open. */
export async function sampleSecrets(
  database: PlainDatabase,
  uses: readonly KeyUse[],
  keyring: Keyring,
): Promise<readonly SecretProblem[]> {
  const problems: SecretProblem[] = [];
  for (const { keyId, table } of uses) {
    const sealed = SEALED_COLUMNS[table];
    const [row = {}] = await database.all(
      `select ${[...sealed.placedBy, sealed.column].join(', ')} from ${table} where key_id = ? limit 1`,
      [keyId],
    );
    try {
      const box = { keyId, box: String(row[sealed.column]) };
      openSecret(keyring, placeSecretOf(sealed, row), box);
    } catch (error) {
      if (!(error instanceof SecretBoxError)) throw error;
      problems.push({ keyId, table, reason: error.message });
    }
  }
  return problems;
}

/** Secrets that are not under this key. */
export async function countOtherSecrets(database: PlainDatabase, keyId: string): Promise<number> {
  const uses = await countSecrets(database);
  return uses.filter((use) => use.keyId !== keyId).reduce((sum, { secrets }) => sum + secrets, 0);
}
