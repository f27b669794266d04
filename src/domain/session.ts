/** Owns sessions: what a completed login gives the browser, how long it lasts, and what ends it. */
import { createHash } from 'node:crypto';

import { createPrincipal, createUnauthenticatedError } from './access.ts';
import type { Principal } from './access.ts';
import type { User } from './organization.ts';
import type { Environment } from './ports.ts';

export interface Session {
  readonly id: string;
  readonly userId: string;
  /** The configuration that the person came in through. Deleting it ends the session. */
  readonly ssoConfigurationId: string;
  readonly createdAt: Date;
  /** Exact to a minute or so: uses are recorded in batches. */
  readonly lastUsedAt: Date;
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
  return `cgses_${Buffer.from(randomBytes(32)).toString('base64url')}`;
}

export function digestSessionToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

/** When the session ends if it is not used again. */
export function computeSessionEnd(session: Session, lifetime: SessionLifetime): Date {
  const idle = session.lastUsedAt.getTime() + lifetime.idleMs;
  const absolute = session.createdAt.getTime() + lifetime.absoluteMs;
  return new Date(Math.min(idle, absolute));
}

export interface AuthenticatedSession {
  readonly principal: Principal;
  readonly session: Session;
  readonly user: User;
}

/** Whose session this is. Unknown, ended, expired, and a user who is not active are all answered alike. */
export async function authenticateSession(
  env: Pick<Environment, 'store' | 'now' | 'sessionLifetime'>,
  token: string,
): Promise<AuthenticatedSession> {
  const found = TOKEN.test(token)
    ? await env.store.findSessionByDigest(digestSessionToken(token))
    : undefined;
  if (found === undefined || found.user.status !== 'active') throw createUnauthenticatedError();
  if (computeSessionEnd(found.session, env.sessionLifetime) <= env.now())
    throw createUnauthenticatedError();
  // Who runs an organization's identity provider can be anybody in it. That must not reach beyond the organization.
  const principal = createPrincipal(found.user, { readOnly: false, mayOperate: false });
  return { ...found, principal };
}

/** Ends the session. A token that is none is passed over. */
export async function endSession(env: Pick<Environment, 'store'>, token: string): Promise<void> {
  if (!TOKEN.test(token)) return;
  await env.store.transaction((tx) => tx.deleteSession(digestSessionToken(token)));
}
