/**
 * Owns the encryption of what the store must be able to read back: client secrets, private signing keys, the secrets of
 * logins on their way, test logins, and the claims of login attempts.
 *
 * AES-256-GCM (NIST SP 800-38D) with a fresh random nonce of 96 bits each time. Where the secret belongs is its
 * associated data, so that a ciphertext that is moved to another row or field does not open. It refuses to own where
 * keys come from (`keyring.ts`, `key-file.ts`) and the words in which a caller is told that a box does not open.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';
import type { EncryptionKey, Keyring } from './keyring.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = '1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** An encrypted secret, as it is stored. */
export interface SecretBox {
  readonly keyId: string;
  /** `1.<nonce>.<ciphertext and tag>`, both in base64url. */
  readonly box: string;
}

/** Where a secret belongs: kind, ids and field. */
export type SecretPlace = readonly [kind: string, ...idsAndField: string[]];

/** The box does not open: its key is missing, or it was moved or changed. The message holds no secret. */
export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError';
}

/** Encrypts under the keyring's first key. */
export function sealSecret(keyring: Keyring, place: SecretPlace, secret: string): SecretBox {
  const { id, key } = keyring.primary;
  const nonce = randomFillSync(Buffer.allocUnsafe(NONCE_BYTES));
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(encodePlace(place));
  const sealed = Buffer.concat([
    cipher.update(secret, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return {
    keyId: id,
    box: [VERSION, nonce.toString('base64url'), sealed.toString('base64url')].join('.'),
  };
}

/** Fails with `SecretBoxError`. */
export function openSecret(
  keyring: Keyring,
  place: SecretPlace,
  { keyId, box }: SecretBox,
): string {
  const key = keyring.find(keyId);
  if (key === undefined) {
    throw new SecretBoxError(`No encryption key has the id "${keyId}".`);
  }
  const [version, nonce, sealed, ...rest] = box.split('.');
  if (version !== VERSION || nonce === undefined || sealed === undefined || rest.length > 0) {
    throw new SecretBoxError('The stored secret does not have the form of an encrypted one.');
  }
  return decrypt(key, place, decodeStrictly(nonce), decodeStrictly(sealed));
}

/** Fails with `DomainError('failed_precondition')` and this message for the caller; why is the cause, for the log. */
export function openOrRefuse(
  keyring: Keyring,
  place: SecretPlace,
  box: SecretBox,
  message: string,
): string {
  try {
    return openSecret(keyring, place, box);
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    throw new DomainError('failed_precondition', message, {
      reason: 'SECRET_UNREADABLE',
      cause: error,
    });
  }
}

function decrypt(key: EncryptionKey, place: SecretPlace, nonce: Buffer, sealed: Buffer): string {
  if (nonce.length !== NONCE_BYTES || sealed.length < TAG_BYTES) {
    throw new SecretBoxError('The stored secret does not have the form of an encrypted one.');
  }
  const decipher = createDecipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(encodePlace(place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return (
      decipher.update(sealed.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (error) {
    throw new SecretBoxError(
      `The stored secret was moved or changed, or the key "${key.id}" is not the one it was encrypted with.`,
      { cause: error },
    );
  }
}

/** JSON keeps the parts apart whatever they hold. */
function encodePlace(place: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify(['claimgate', ...place]), 'utf8');
}

/** Node decodes anything; only the one spelling that we write is taken. */
function decodeStrictly(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') === text) return bytes;
  throw new SecretBoxError('The stored secret does not have the form of an encrypted one.');
}
