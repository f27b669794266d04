/**
 * Owns sessions: what a completed login gives the browser, or a token that was pasted into the console; how long it
 * lasts, and what ends it.
 */
import { createPrincipal, createUnauthenticatedError, refuseCredential } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs, unchanged } from './audit.ts';
import type { AuditActor } from './audit.ts';
import { changeUser } from './organization.ts';
import type { User } from './organization.ts';
import type { Environment, StoreTransaction } from './ports.ts';
import { digestSecret, generateSecret } from './secret.ts';
import { authenticateToken } from './token.ts';
import type { PersonalAccessToken } from './token.ts';

export type Session = SsoSession | TokenSession;

interface AnySession {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  /** Exact to a minute or so: uses are recorded in batches. */
  readonly lastUsedAt: Date;
}

export interface SsoSession extends AnySession {
  /** The configuration that the person came in through. Deleting it ends the session. */
  readonly ssoConfigurationId: string;
  readonly tokenId?: undefined;
}

export interface TokenSession extends AnySession {
  /** The personal access token that was traded for it. Deleting it ends the session. */
  readonly tokenId: string;
  readonly ssoConfigurationId?: undefined;
}

/** A session as it is stored, with all that decides whether it holds and what it may do. */
export interface StoredSession {
  readonly session: Session;
  readonly user: User;
  /** The token of a session that was traded for one. */
  readonly token?: Pick<PersonalAccessToken, 'readOnly' | 'expiresAt'> | undefined;
}

/** In milliseconds. */
export interface SessionLifetime {
  /** Without use. */
  readonly idleMs: number;
  /** In all. */
  readonly absoluteMs: number;
}

const TOKEN = /^cgses_[\w-]{43}$/;

/** A new session's secret, for the cookie: 256 random bits. It is stored as a digest alone. */
export function generateSessionToken(randomBytes: Environment['randomBytes']): string {
  return `cgses_${generateSecret({ randomBytes })}`;
}

export function digestSessionToken(token: string): string {
  return digestSecret(token);
}

/**
 * When the session ends if it is not used again.
 *
 * @param expiresAt of its token, if it has one and that expires
 */
export function computeSessionEnd(
  session: Pick<Session, 'createdAt' | 'lastUsedAt'>,
  lifetime: SessionLifetime,
  expiresAt?: Date,
): Date {
  const idle = session.lastUsedAt.getTime() + lifetime.idleMs;
  const absolute = session.createdAt.getTime() + lifetime.absoluteMs;
  return new Date(Math.min(idle, absolute, expiresAt?.getTime() ?? Infinity));
}

export interface AuthenticatedSession extends StoredSession {
  readonly principal: Principal;
}

/** Whose session this is. Unknown, ended, expired, and a user who is not active are all answered alike. */
export async function authenticateSession(
  env: Pick<Environment, 'store' | 'now' | 'sessionLifetime'>,
  token: string,
): Promise<AuthenticatedSession> {
  const found = TOKEN.test(token)
    ? await env.store.findSessionByDigest(digestSessionToken(token))
    : undefined;
  if (found === undefined) throw createUnauthenticatedError();
  const credentials = selectCredentials(found);
  const end = computeSessionEnd(found.session, env.sessionLifetime, found.token?.expiresAt);
  if (end <= env.now() || found.user.status !== 'active')
    throw refuseCredential(credentials.credential, found.user);
  return { ...found, principal: createPrincipal(found.user, credentials) };
}

/** What the session may do, as far as it is not a matter of its user. */
function selectCredentials({ session, token }: StoredSession) {
  // Who runs an organization's identity provider can be anybody in it. That must not reach beyond the organization.
  if (session.tokenId === undefined) {
    const credential = { kind: 'sso_session', id: session.id } as const;
    return { readOnly: false, mayOperate: false, credential };
  }
  const credential = { kind: 'token_session', id: session.id } as const;
  // Without its token it would not be there; if it is, it may do as little as there is.
  return token === undefined
    ? { readOnly: true, mayOperate: false, credential }
    : { readOnly: token.readOnly, mayOperate: true, credential };
}

/**
 * Trades a personal access token for a session that may do what the token may, and ends with it: a browser can keep a
 * session out of the reach of scripts, and a token it cannot. Resolves to the session's token.
 *
 * @param replacedSession what the browser's cookie holds: that session ends as the new one begins
 */
export async function beginTokenSession(
  env: Pick<Environment, 'store' | 'now' | 'newId' | 'randomBytes'>,
  token: string,
  replacedSession: string | undefined,
): Promise<string> {
  const { principal, tokenId } = await authenticateToken(env, token);
  const sessionToken = generateSessionToken(env.randomBytes);
  const now = env.now();
  const session: TokenSession = {
    id: env.newId(),
    userId: principal.userId,
    tokenId,
    createdAt: now,
    lastUsedAt: now,
  };
  return makeChange(env, describeActor(principal), async (tx) => {
    await tx.insertSession(session, digestSessionToken(sessionToken));
    await dropSession(tx, replacedSession);
    const { userId: id, organizationId } = principal;
    return recordAs(sessionToken, changeUser({ id, organizationId }, 'session.began'));
  });
}

/** Ends the session. A token that is none is passed over. */
export async function endSession(
  env: Pick<Environment, 'store' | 'now' | 'newId'>,
  token: string,
): Promise<void> {
  if (!TOKEN.test(token)) return;
  const found = await env.store.findSessionByDigest(digestSessionToken(token));
  if (found === undefined) return;
  await makeChange(env, describeOwner(found), async (tx) => {
    // Of several ends at the same time, one is recorded.
    if ((await tx.findSessionByDigest(digestSessionToken(token))) === undefined) {
      return unchanged(undefined);
    }
    await dropSession(tx, token);
    return recordAs(undefined, changeUser(found.user, 'session.ended'));
  });
}

function describeOwner({ session, user }: StoredSession): AuditActor {
  const kind = session.tokenId === undefined ? 'sso_session' : 'token_session';
  return { kind, userId: user.id, credentialId: session.id };
}

/** As `endSession`, within the transaction that another session begins in. */
export async function dropSession(tx: StoreTransaction, token: string | undefined): Promise<void> {
  if (token !== undefined && TOKEN.test(token)) await tx.deleteSession(digestSessionToken(token));
}
