/** Owns fetching an identity provider's key set (RFC 7517 §5), and keeping of it only public keys for signatures. */
import { LoginFailure } from '../domain/login-failure.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { fetchJsonObject, isJsonObject } from './outbound-failure.ts';

/** A public key as a JSON Web Key: its parameters, and nothing else that the document says. */
export type PublicKey = Readonly<Record<string, string>> & { readonly kty: string };

export interface KeySet {
  readonly keys: readonly PublicKey[];
}

/** Real key sets hold 2 to 12. */
const MAX_KEYS = 64;
/** Of one parameter, in characters: the modulus of a 16,384-bit RSA key takes 2,731. */
const MAX_PARAMETER_LENGTH = 3_000;

const PARAMETERS = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const;
const KEY_TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

/** Fetches a key set, anew at every call. */
export async function fetchKeySet(guarded: GuardedFetch, jwksUri: string): Promise<KeySet> {
  const document = await fetchJsonObject(guarded, jwksUri, 'id_token', 'jwks_uri');
  const entries = document['keys'];
  if (!Array.isArray(entries)) throw invalid('has no list of keys');
  if (entries.length > MAX_KEYS) throw invalid(`has more than ${MAX_KEYS} keys`);
  const keys = entries.map(readPublicKey).filter((key) => key !== undefined);
  if (keys.length === 0) throw invalid('has no public key for signatures');
  return { keys };
}

/** Keys of other types and uses are passed over (RFC 7517 §5). */
function readPublicKey(entry: unknown): PublicKey | undefined {
  if (!isJsonObject(entry)) return undefined;
  if (!KEY_TYPES.has(entry['kty'])) return undefined;
  if (entry['use'] !== undefined && entry['use'] !== 'sig') return undefined;
  const operations = entry['key_ops'];
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  const key: Record<string, string> = {};
  for (const name of PARAMETERS) {
    const value = entry[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value.length > MAX_PARAMETER_LENGTH) return undefined;
    key[name] = value;
  }
  return { ...key, kty: String(entry['kty']) };
}

const invalid = (what: string): LoginFailure =>
  new LoginFailure('id_token', 'keys_invalid', `The key set at jwks_uri ${what}.`);
