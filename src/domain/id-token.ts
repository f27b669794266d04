/**
 * Owns the identity tokens that we issue (RFC 7519, OpenID Connect Core §2) and the life of the keys that sign them.
 * How a JWT is encoded and signed is behind `IdTokenSigner`.
 *
 * A key's life, from its creation:
 *
 *     published ──10 min──▶ signs ──90 d, or rotated──▶ published only ──15 min and a margin──▶ deleted
 *
 * It is published before it signs, so that a verifier whose copy of the key set is at most 5 minutes old knows it.
 * The very first key has to sign at once.
 */
import { assertMayWrite, createUnauthenticatedError } from './access.ts';
import type { Principal } from './access.ts';
import { makeChange, recordAs, SYSTEM, unchanged } from './audit.ts';
import type { AuditActor, Change } from './audit.ts';
import { createViolationError } from './errors.ts';
import type { Environment } from './ports.ts';

/** Public or private ES256 key as a JSON Web Key (RFC 7517, RFC 7518 §6.2). */
export interface JsonWebKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
}

export interface SigningKey {
  /** The JWT header's `kid`. */
  readonly id: string;
  readonly publicKey: JsonWebKey;
  /** Stored encrypted. */
  readonly privateKey: JsonWebKey & { readonly d: string };
  readonly createdAt: Date;
}

/** What of a signing key is for everybody. */
export type PublishedKey = Pick<SigningKey, 'id' | 'publicKey' | 'createdAt'>;

/** Signs with ES256 (RFC 7518 §3.4). */
export interface IdTokenSigner {
  generateKey(): Promise<Pick<SigningKey, 'publicKey' | 'privateKey'>>;
  sign(key: SigningKey, claims: Readonly<Record<string, unknown>>): Promise<string>;
}

/** `v1` says who; `v2` also says the user's email, name and role. */
export type IdTokenVersion = 'v1' | 'v2';

const MINUTE_MS = 60 * 1000;

/** In milliseconds. */
export const ID_TOKEN_LIFETIME = 15 * MINUTE_MS;
/** How long a copy of the key set may be used, in milliseconds. */
export const KEY_SET_MAX_AGE = 5 * MINUTE_MS;
const PUBLISH_BEFORE_USE = 2 * KEY_SET_MAX_AGE;
const KEY_LIFETIME = 90 * 24 * 60 * MINUTE_MS;
const KEEP_AFTER_USE = ID_TOKEN_LIFETIME + PUBLISH_BEFORE_USE;

const AUDIENCE_LIMITS = { entries: 16, length: 512 } as const;

/** A signed statement of who the caller is, for the audiences named. Lives 15 minutes and cannot be revoked. */
export async function issueIdToken(
  env: Environment,
  caller: Principal,
  audience: readonly string[],
  version: IdTokenVersion,
): Promise<string> {
  assertMayWrite(caller);
  checkAudience(audience);
  const user = await env.store.findUser(caller.userId);
  if (user === undefined) throw createUnauthenticatedError();
  const issuedAt = Math.floor(env.now().getTime() / 1000);
  const key = await takeSigningKey(env);
  return env.signer.sign(key, {
    iss: env.publicUrl,
    sub: user.id,
    aud: audience.length === 1 ? audience[0] : audience,
    iat: issuedAt,
    exp: issuedAt + ID_TOKEN_LIFETIME / 1000,
    jti: env.newId(),
    organization_id: user.organizationId,
    ...(version === 'v2' && { email: user.email, name: user.name, role: user.role }),
  });
}

/** The keys a verifier must know, public halves only (RFC 7517 §5). */
export async function publishKeySet(
  env: Pick<Environment, 'store'>,
): Promise<{ readonly keys: readonly object[] }> {
  const keys = await env.store.listPublicKeys();
  return {
    keys: keys.map(({ id, publicKey }) => ({ ...publicKey, kid: id, use: 'sig', alg: 'ES256' })),
  };
}

/** OpenID Provider metadata (OpenID Connect Discovery §3), as far as it concerns who only verifies our tokens. */
export function describeIssuer(publicUrl: string): Readonly<Record<string, unknown>> {
  return {
    issuer: publicUrl,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'jti',
      'organization_id',
      'email',
      'name',
      'role',
    ],
  };
}

/**
 * Makes a new key, which signs once it has been published long enough, and forgets those no token needs any more.
 *
 * @param replaces the newest key as the caller saw it, or `undefined` when there was none: when another process has been
 *   faster, its key is the answer.
 * @param actor who has it made; the server itself when a key has grown old
 */
export async function rotateSigningKey(
  env: Pick<Environment, 'store' | 'signer' | 'now' | 'newId'>,
  replaces: Pick<SigningKey, 'id'> | undefined,
  actor: AuditActor = SYSTEM,
): Promise<SigningKey> {
  const generated = await env.signer.generateKey();
  return makeChange(env, actor, async (tx) => {
    await tx.lockSigningKeys();
    const now = env.now();
    const keys = await tx.listSigningKeys();
    const [newest] = keys;
    if (newest !== undefined && newest.id !== replaces?.id) return unchanged(newest);
    const forgotten = selectForgettable(keys, now);
    for (const { id } of forgotten) await tx.deleteSigningKey(id);
    const key: SigningKey = { ...generated, id: env.newId(), createdAt: now };
    await tx.insertSigningKey(key);
    return recordAs(
      key,
      changeKey(key, 'signing_key.created'),
      ...forgotten.map((each) => changeKey(each, 'signing_key.deleted')),
    );
  });
}

/** Forgets the keys whose last token has expired. Resolves to how many they were. */
export async function forgetSpentKeys(
  env: Pick<Environment, 'store' | 'now' | 'newId'>,
): Promise<number> {
  const mayBeSpent = selectForgettable(await env.store.listPublicKeys(), env.now());
  if (mayBeSpent.length === 0) return 0;
  return makeChange(env, SYSTEM, async (tx) => {
    await tx.lockSigningKeys();
    const spent = selectForgettable(await tx.listPublicKeys(), env.now());
    for (const { id } of spent) await tx.deleteSigningKey(id);
    if (spent.length === 0) return unchanged(0);
    return recordAs(spent.length, ...spent.map((key) => changeKey(key, 'signing_key.deleted')));
  });
}

/** Where a key is in its life. */
export interface KeyStage {
  readonly id: string;
  readonly createdAt: Date;
  readonly state: 'published' | 'signing' | 'retired';
  /** From when it signs, or until when it is published; absent for the key that signs. */
  readonly until: Date | undefined;
}

/** @param keys sorted newest first */
export function describeKeys(
  keys: readonly Pick<SigningKey, 'id' | 'createdAt'>[],
  now: Date,
): readonly KeyStage[] {
  const signing = selectSigning(keys, now);
  const at = keys.findIndex((key) => key === signing);
  return keys.map(({ id, createdAt }, index) => {
    if (index === at) return { id, createdAt, state: 'signing', until: undefined };
    const since = index < at ? createdAt : (keys[index - 1]?.createdAt ?? createdAt);
    const state = index < at ? 'published' : 'retired';
    const after = index < at ? PUBLISH_BEFORE_USE : PUBLISH_BEFORE_USE + KEEP_AFTER_USE;
    return { id, createdAt, state, until: new Date(since.getTime() + after) };
  });
}

function changeKey({ id }: Pick<SigningKey, 'id'>, action: Change['action']): Change {
  return { action, organizationId: undefined, subject: { type: 'signing_key', id } };
}

/** The key that signs now; made when there is none, and its successor made when it has grown old. */
async function takeSigningKey(env: Environment): Promise<SigningKey> {
  const keys = await env.store.listSigningKeys();
  const newest = keys[0];
  if (newest === undefined) return makeFirstKey(env);
  if (env.now().getTime() - newest.createdAt.getTime() > KEY_LIFETIME) {
    await rotateSigningKey(env, newest);
  }
  return selectSigning(keys, env.now()) ?? newest;
}

/** Makes the first key, so that verifiers who ask early know it; one that is there is the answer. */
export function makeFirstKey(
  env: Pick<Environment, 'store' | 'signer' | 'now' | 'newId'>,
): Promise<SigningKey> {
  return rotateSigningKey(env, undefined);
}

/** Of keys sorted newest first, the newest that has been published long enough, else the oldest. */
export function selectSigning<Key extends Pick<SigningKey, 'createdAt'>>(
  keys: readonly Key[],
  now: Date,
): Key | undefined {
  return keys.find((key) => isPublishedLongEnough(key, now)) ?? keys.at(-1);
}

/** Of keys sorted newest first, those whose last token has expired. */
export function selectForgettable<Key extends Pick<SigningKey, 'createdAt'>>(
  keys: readonly Key[],
  now: Date,
): readonly Key[] {
  return keys.filter((_, index) => {
    const successor = keys[index - 1];
    if (successor === undefined) return false;
    return now.getTime() - successor.createdAt.getTime() > PUBLISH_BEFORE_USE + KEEP_AFTER_USE;
  });
}

function isPublishedLongEnough(key: Pick<SigningKey, 'createdAt'>, now: Date): boolean {
  return now.getTime() - key.createdAt.getTime() >= PUBLISH_BEFORE_USE;
}

function checkAudience(audience: readonly string[]): void {
  const fits = audience.every(
    (value) => value.length > 0 && value.length <= AUDIENCE_LIMITS.length,
  );
  if (fits && audience.length > 0 && audience.length <= AUDIENCE_LIMITS.entries) return;
  const message = `must have 1 to ${AUDIENCE_LIMITS.entries} values of 1 to ${AUDIENCE_LIMITS.length} characters`;
  throw createViolationError([{ field: 'audience', rule: 'audience.length', message }]);
}
