/**
 * Owns personal access tokens: their form, their life, and the use cases over them. The store sees digests alone.
 */
import { hash } from 'node:crypto';

import {
  assertMayOversee,
  assertMayWrite,
  assertSelf,
  createPrincipal,
  createUnauthenticatedError,
  refuseCredential,
} from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs } from './audit.ts';
import type { Change, ChangeAction } from './audit.ts';
import { createViolationError, DomainError } from './errors.ts';
import type { Awaitable } from './awaitable.ts';
import { whenReady } from './awaitable.ts';
import { makeOnce } from './lasting.ts';
import type { User } from './organization.ts';
import type { Page, PageRequest } from './page.ts';
import type { Environment, RandomBytes } from './ports.ts';
import { digestSecret } from './secret.ts';

export interface PersonalAccessToken {
  readonly id: string;
  readonly userId: string;
  readonly description: string;
  /** The user who made it: the token's own, or an operator. */
  readonly creatorId: string;
  readonly readOnly: boolean;
  readonly createdAt: Date;
  /** Absent for the bootstrap token alone, which lives until it is deleted. */
  readonly expiresAt: Date | undefined;
  /** Exact to a minute or so: uses are recorded in batches (see `use-recorder.ts`). */
  readonly lastUsedAt: Date | undefined;
}

/** With the user who owns it. */
export interface TokenWithUser {
  readonly token: PersonalAccessToken;
  readonly user: User;
}

const PREFIX = 'cgpat_';
const RANDOM_BYTES = 20;
const CHECKSUM_LENGTH = 8;
const FORM = /^cgpat_([0-9a-f]{40})([0-9a-f]{8})$/;
const DAY_MS = 24 * 60 * 60 * 1000;

/** How long a token lives, in milliseconds. */
export const TOKEN_LIFETIME = { default: 30 * DAY_MS, max: 90 * DAY_MS } as const;

/** Longest description, in characters. */
const MAX_DESCRIPTION = 256;

const tokenNotFound = (): DomainError =>
  new DomainError(
    'not_found',
    'No such personal access token. ListPersonalAccessTokens shows yours.',
    { reason: 'PERSONAL_ACCESS_TOKEN_NOT_FOUND' },
  );

const userNotFound = (): DomainError =>
  new DomainError('not_found', 'No such user.', { reason: 'USER_NOT_FOUND' });

/**
 * A new token: `cgpat_`, 160 random bits and a checksum in hexadecimal. Prefix and checksum let scanners for leaked
 * secrets know it without asking us.
 */
export function generateToken(randomBytes: RandomBytes): string {
  const body = Buffer.from(randomBytes(RANDOM_BYTES)).toString('hex');
  return `${PREFIX}${body}${computeChecksum(body)}`;
}

/** The form in which a token is stored and looked up. */
export function digestToken(token: string): string {
  return digestSecret(token);
}

/** False for what has our prefix and cannot be ours, so that it costs no look-up. Bootstrap tokens have any form. */
function isPlausibleToken(token: string): boolean {
  if (!token.startsWith(PREFIX)) return token.length >= 24 && token.length <= 512;
  const [, body, checksum] = FORM.exec(token) ?? [];
  return body !== undefined && computeChecksum(body) === checksum;
}

function computeChecksum(body: string): string {
  return hash('sha256', `${PREFIX}${body}`).slice(0, CHECKSUM_LENGTH);
}

/**
 * Who sends this token. Expired, revoked, unknown, and a user who is not active are all answered alike:
 * `unauthenticated`.
 */
export function authenticateToken(
  env: Pick<Environment, 'store' | 'now'>,
  token: string,
): Awaitable<AuthenticatedToken> {
  if (!isPlausibleToken(token)) throw createUnauthenticatedError();
  return whenReady(env.store.findTokenByDigest(digestToken(token)), (found) => {
    if (found === undefined) throw createUnauthenticatedError();
    const { expiresAt } = found.token;
    const authenticated = createAuthenticated(found);
    const hasExpired = expiresAt !== undefined && expiresAt <= env.now();
    if (!hasExpired && found.user.status === 'active') return authenticated;
    throw refuseCredential(authenticated.principal.credential, found.user);
  });
}

interface AuthenticatedToken {
  readonly principal: Principal;
  readonly tokenId: string;
}

const createAuthenticated = makeOnce(({ token, user }: TokenWithUser): AuthenticatedToken => {
  const { readOnly, id } = token;
  const credential = { kind: 'token', id } as const;
  const principal = createPrincipal(user, { readOnly, mayOperate: true, credential });
  return { principal, tokenId: id };
});

export interface CreateTokenInput {
  readonly userId: string;
  readonly description: string;
  /** In milliseconds; 0 or absent takes the default of 30 days. */
  readonly validForMs?: number | undefined;
  readonly readOnly: boolean;
}

/** Makes a token, for oneself or as an operator for anybody. The returned string is shown this once. */
export async function createPersonalAccessToken(
  env: Environment,
  caller: Principal,
  input: CreateTokenInput,
): Promise<string> {
  assertMayWrite(caller);
  const { userId } = input;
  assertSelf(caller, userId, userNotFound);
  const lifetime = input.validForMs || TOKEN_LIFETIME.default;
  if (lifetime < 0 || lifetime > TOKEN_LIFETIME.max) {
    throw createViolationError([
      { field: 'valid_for', rule: 'token.lifetime', message: 'must be at most 90 days' },
    ]);
  }
  if (input.description.length > MAX_DESCRIPTION) {
    const message = `must have at most ${MAX_DESCRIPTION} characters`;
    throw createViolationError([{ field: 'description', rule: 'token.description', message }]);
  }
  const token = generateToken(env.randomBytes);
  const now = env.now();
  const record: PersonalAccessToken = {
    id: env.newId(),
    userId,
    description: input.description,
    creatorId: caller.userId,
    readOnly: input.readOnly,
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime),
    lastUsedAt: undefined,
  };
  return makeChange(env, describeActor(caller), async (tx) => {
    // Locked, so that no token is made for somebody who is just leaving.
    const user = await tx.lockUser(userId);
    if (user === undefined || user.status !== 'active') throw userNotFound();
    assertMayMintFor(caller, user);
    await tx.insertPersonalAccessToken(record, digestToken(token));
    return recordAs(token, changeToken(record, user, 'personal_access_token.created'));
  });
}

/** A token of an operator may what an operator may: credentials that may less must not make themselves one. */
function assertMayMintFor(caller: Principal, user: User): void {
  if (!user.operator || caller.operator) return;
  throw new DomainError(
    'permission_denied',
    "An operator's token can be made with another of an operator's tokens alone, and not from a single sign-on session.",
    { reason: 'OPERATOR_TOKEN_REQUIRED' },
  );
}

export async function getPersonalAccessToken(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<PersonalAccessToken> {
  return (await findOverseenToken(env, caller, id)).token;
}

async function findOverseenToken(env: Environment, caller: Principal, id: string) {
  const token = await env.store.findPersonalAccessToken(id);
  const user = token && (await env.store.findUser(token.userId));
  if (token === undefined || user === undefined) throw tokenNotFound();
  assertMayOversee(caller, user, tokenNotFound);
  return { token, user };
}

function changeToken(
  { id }: Pick<PersonalAccessToken, 'id'>,
  { organizationId }: Pick<User, 'organizationId'>,
  action: ChangeAction,
): Change {
  return { action, organizationId, subject: { type: 'personal_access_token', id } };
}

/** One's own tokens, or those of the users named: for an admin of their organization, or an operator. */
export async function listPersonalAccessTokens(
  env: Environment,
  caller: Principal,
  userIds: readonly string[],
  page: PageRequest,
): Promise<Page<PersonalAccessToken>> {
  const users: User[] = [];
  for (const id of new Set(userIds.filter((id) => id !== caller.userId))) {
    const user = await env.store.findUser(id);
    if (user === undefined) throw userNotFound();
    assertMayOversee(caller, user, userNotFound);
    users.push(user);
  }
  const own = userIds.length === 0 || userIds.includes(caller.userId) ? [caller.userId] : [];
  return env.store.listPersonalAccessTokens([...own, ...users.map(({ id }) => id)], page);
}

/** Revokes the token at once. */
export async function deletePersonalAccessToken(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<void> {
  assertMayWrite(caller);
  const { token, user } = await findOverseenToken(env, caller, id);
  await makeChange(env, describeActor(caller), async (tx) => {
    if ((await tx.findPersonalAccessToken(token.id)) === undefined) throw tokenNotFound();
    await tx.deletePersonalAccessToken(token.id);
    return recordAs(undefined, changeToken(token, user, 'personal_access_token.deleted'));
  });
}
