/** Owns the encryption keys: their written form and their order. No message here ever repeats what was given. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** In bytes: AES-256. */
export const KEY_BYTES = 32;

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

export interface EncryptionKey {
  readonly id: string;
  /** A KeyObject, because it does not show its bytes when it is printed. */
  readonly key: KeyObject;
}

/** Ordered keys: the first encrypts, all decrypt. */
export interface Keyring {
  readonly primary: EncryptionKey;
  readonly keys: readonly EncryptionKey[];
  readonly find: (id: string) => EncryptionKey | undefined;
}

/** What is wrong with the keys that were given, each mistake by the place of its entry. */
export class EncryptionKeysError extends Error {
  override readonly name = 'EncryptionKeysError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * Reads `id:base64,id2:base64`. An id has 1 to 64 letters, digits, `_` or `-`; a key is 32 random bytes in base64,
 * such as `openssl rand -base64 32` prints.
 *
 * @throws {EncryptionKeysError} that names every mistake
 */
export function parseEncryptionKeys(text: string): Keyring {
  const problems: string[] = [];
  const keys: EncryptionKey[] = [];
  const entries = text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim());
  for (const [index, entry] of entries.entries()) {
    const problem = readEntry(entry, keys);
    if (problem !== undefined) problems.push(`key ${index + 1} of ${entries.length} ${problem}`);
  }
  const [primary] = keys;
  if (problems.length > 0) throw new EncryptionKeysError(problems);
  if (primary === undefined) throw new EncryptionKeysError(['there is no key']);
  const byId = new Map(keys.map((key) => [key.id, key]));
  return { primary, keys, find: (id) => byId.get(id) };
}

/** Adds the key, or says what is wrong. */
function readEntry(entry: string, keys: EncryptionKey[]): string | undefined {
  const colon = entry.indexOf(':');
  if (colon < 0) return 'has no colon: write it as id:base64';
  const id = entry.slice(0, colon);
  const encoded = entry.slice(colon + 1);
  if (!KEY_ID.test(id)) return 'has an id that is not 1 to 64 letters, digits, "_" or "-"';
  if (keys.some((key) => key.id === id)) return 'has the id of a key before it';
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded && bytes.toString('base64url') !== encoded) {
    return 'is not base64 behind its colon';
  }
  if (bytes.length !== KEY_BYTES) {
    return `has ${bytes.length} bytes, not ${KEY_BYTES}: make one with "openssl rand -base64 ${KEY_BYTES}"`;
  }
  keys.push({ id, key: createSecretKey(bytes) });
  bytes.fill(0);
  return undefined;
}
