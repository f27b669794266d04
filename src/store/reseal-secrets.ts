/**
 * Owns the encrypting of stored secrets anew under the keyring's first key, batch after batch, while servers go on. What
 * somebody else changes meanwhile stays as they have it: a row is written only where it still holds what was read.
 */
import { setTimeout } from 'node:timers/promises';
import { PRIMARY_KEYS } from './copied-tables.ts';
import type { Keyring } from './keyring.ts';
import type { PlainDatabase, Row, Value } from './plain-database.ts';
import { placeSecretOf, SEALED_COLUMNS, SEALED_TABLES } from './sealed-columns.ts';
import { openSecret, sealSecret, SecretBoxError } from './secret-box.ts';
import { countOtherSecrets } from './stored-secrets.ts';
import type { SecretProblem } from './stored-secrets.ts';

export interface ResealReport {
  /** How many secrets were encrypted anew. */
  readonly resealed: number;
  /** Under other keys still: those that do not open, and those that a server has written meanwhile. */
  readonly remaining: number;
  /** One of each kind and key that does not open. */
  readonly problems: readonly SecretProblem[];
}

/** So many rows are locked at a time. */
const BATCH = 200;

/** After each batch, in milliseconds, so that servers on the same file get their turn. */
const PAUSE = 5;

/** It may be ended at any time, and run again. */
export async function resealSecrets(
  database: PlainDatabase,
  keyring: Keyring,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<ResealReport> {
  const total = await countOtherSecrets(database, keyring.primary.id);
  const problems = new Map<string, SecretProblem>();
  let seen = 0;
  let resealed = 0;
  for (const table of SEALED_TABLES) {
    for await (const rows of readOthers(database, table, keyring.primary.id)) {
      const fresh = rows.flatMap((row) => reseal(table, row, keyring, problems));
      const changed = await database.transaction(() => writeRows(database, table, fresh));
      resealed += changed;
      seen += rows.length;
      onProgress(Math.min(seen, total), total);
      await setTimeout(PAUSE);
    }
  }
  const remaining = await countOtherSecrets(database, keyring.primary.id);
  return { resealed, remaining, problems: [...problems.values()] };
}

type SealedTable = (typeof SEALED_TABLES)[number];

interface Resealed {
  /** Its primary key. */
  readonly key: Value;
  readonly before: string;
  readonly after: string;
  readonly keyId: string;
}

async function* readOthers(
  database: PlainDatabase,
  table: SealedTable,
  keyId: string,
): AsyncGenerator<readonly Row[]> {
  const { column, placedBy } = SEALED_COLUMNS[table];
  const key = getKey(table);
  const columns = [...new Set([key, ...placedBy, column, 'key_id'])].join(', ');
  let after: Value = '';
  for (;;) {
    const rows = await database.all(
      `select ${columns} from ${table} where key_id <> ? and ${key} > ? order by ${key} limit ${BATCH}`,
      [keyId, after],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last[key] ?? '';
  }
}

/** Nothing, and a problem, where it does not open. */
function reseal(
  table: SealedTable,
  row: Row,
  keyring: Keyring,
  problems: Map<string, SecretProblem>,
): readonly Resealed[] {
  const sealed = SEALED_COLUMNS[table];
  const place = placeSecretOf(sealed, row);
  const before = String(row[sealed.column]);
  const keyId = String(row['key_id']);
  try {
    const secret = openSecret(keyring, place, { keyId, box: before });
    const after = sealSecret(keyring, place, secret);
    return [{ key: row[getKey(table)] ?? null, before, after: after.box, keyId: after.keyId }];
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    problems.set(`${table} ${keyId}`, { table, keyId, reason: error.message });
    return [];
  }
}

/** Sent together. Resolves to how many were still what had been read. */
async function writeRows(
  database: PlainDatabase,
  table: SealedTable,
  rows: readonly Resealed[],
): Promise<number> {
  const { column } = SEALED_COLUMNS[table];
  const sql = `update ${table} set ${column} = ?, key_id = ? where ${getKey(table)} = ? and ${column} = ?`;
  const changed = await Promise.all(
    rows.map(({ key, before, after, keyId }) => database.run(sql, [after, keyId, key, before])),
  );
  return changed.reduce((sum, count) => sum + count, 0);
}

/** Tables with secrets have a primary key of one column. */
function getKey(table: SealedTable): string {
  return PRIMARY_KEYS[table].join();
}
