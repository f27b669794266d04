/** Owns whose session a browser's request carries. */
import { readCookie } from '../domain/browser-cookies.ts';
import { DomainError } from '../domain/errors.ts';
import { authenticateSession } from '../domain/session.ts';
import type { AuthenticatedSession } from '../domain/session.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginHttpRequest } from './login-http.ts';

/** The live session, whose use is noted; `undefined` when there is none. */
export async function findSession(
  { env, options, cookies }: LoginContext,
  { headers }: LoginHttpRequest,
): Promise<AuthenticatedSession | undefined> {
  const token = readCookie(headers.cookie, cookies, 'session');
  if (token === undefined) return undefined;
  try {
    const found = await authenticateSession(env, token);
    options.noteSessionUse?.(found.session.id);
    return found;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'unauthenticated') return undefined;
    throw error;
  }
}
