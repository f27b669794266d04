/** Owns what a browser can ask of its session: whose it is, and its end. */
import { isTrustedOrigin } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import type { DomainErrorCode } from '../domain/errors.ts';
import { resolveReturnTo } from '../domain/return-to.ts';
import { beginTokenSession, computeSessionEnd, endSession } from '../domain/session.ts';
import { clearCookie, readCookie, writeCookie } from '../domain/browser-cookies.ts';
import { respondToError } from './error-response.ts';
import { findSession } from './find-session.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginHttpRequest, LoginHttpResponse } from './login-http.ts';
import { respondWithJson, respondWithPage, respondWithRedirect } from './respond.ts';
import {
  createForeignLogoutPage,
  createHomePage,
  createLogoutPage,
  createSignedOutPage,
} from './session-pages.ts';

/** RFC 6750 §2.1. */
const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

const JSON_STATUS: Readonly<Partial<Record<DomainErrorCode, number>>> = {
  unauthenticated: 401,
  permission_denied: 403,
  unavailable: 503,
};

/** `GET /signed-in`, and `GET /` where there is no console: who is signed in, with the way in or out. */
export async function showHome(
  context: LoginContext,
  request: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  try {
    const found = await findSession(context, request);
    const { env, options, paths } = context;
    const page = createHomePage(paths, found?.user, options.hasConsole === true);
    return respondWithPage(env, 200, page);
  } catch (error) {
    return respondToError(context, error);
  }
}

/** `GET /session`: who am I, for pages. */
export async function describeSession(
  context: LoginContext,
  request: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  try {
    const found = await findSession(context, request);
    if (found === undefined) {
      return respondWithJson(401, {
        code: 'unauthenticated',
        message: 'Nobody is signed in. Send the browser to /login.',
      });
    }
    const { user, session, token, principal } = found;
    const { id, name, email, avatarUrl, role, organizationId } = user;
    const { operator, readOnly } = principal;
    return respondWithJson(200, {
      user: { id, name, email, avatarUrl, role },
      organizationId,
      kind: session.tokenId === undefined ? 'sso' : 'token',
      operator,
      readOnly,
      // Whoever asks uses the session, so it ends no earlier than a full idle time from now.
      expiresAt: computeSessionEnd(
        { ...session, lastUsedAt: context.env.now() },
        context.env.sessionLifetime,
        token?.expiresAt,
      ).toISOString(),
    });
  } catch (error) {
    context.noteRefusal(error);
    if (!(error instanceof DomainError) || error.code !== 'unavailable') throw error;
    return respondWithJson(503, { code: error.code, message: error.message });
  }
}

/**
 * `POST /session`: trades the token in the `Authorization` header for a session. For the console alone: a page of
 * another origin would put its visitors into a session of its choosing.
 */
export async function openTokenSession(
  { env, cookies, noteRefusal, noteSession }: LoginContext,
  { headers }: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  const { publicUrl } = env;
  const origin = { origin: headers.origin, fetchSite: headers['sec-fetch-site'] };
  try {
    if (!isTrustedOrigin(origin, { publicUrl, allowedOrigins: [] })) {
      const message = `Only pages of ${publicUrl} may ask for this. Open the console there.`;
      throw new DomainError('permission_denied', message);
    }
    const [, token = ''] = BEARER.exec(headers.authorization ?? '') ?? [];
    const replaced = readCookie(headers.cookie, cookies, 'session');
    const sessionToken = await beginTokenSession(env, token, replaced);
    noteSession();
    const { absoluteMs } = env.sessionLifetime;
    return respondWithJson(
      200,
      {},
      { 'set-cookie': writeCookie(cookies, 'session', sessionToken, absoluteMs) },
    );
  } catch (error) {
    noteRefusal(error);
    if (!(error instanceof DomainError)) throw error;
    return respondWithJson(JSON_STATUS[error.code] ?? 503, {
      code: error.code,
      message: error.message,
    });
  }
}

/** `GET /logout`: a button. A link alone, which any site can follow, signs nobody out. */
export async function askToLogOut(
  context: LoginContext,
  { query }: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  const returnTo = readReturnTo(context, query) ?? '';
  return respondWithPage(context.env, 200, createLogoutPage(context.paths, returnTo));
}

/** `POST /logout`: ends the session, also when there is nowhere to go back to. */
export async function logOut(
  context: LoginContext,
  { headers, form }: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  const { env, options, paths, cookies } = context;
  const { publicUrl } = env;
  const { allowedOrigins } = options;
  const origin = { origin: headers.origin, fetchSite: headers['sec-fetch-site'] };
  if (!isTrustedOrigin(origin, { publicUrl, allowedOrigins }))
    return respondWithPage(env, 403, createForeignLogoutPage(paths));
  try {
    const token = readCookie(headers.cookie, cookies, 'session');
    if (token !== undefined) await endSession(env, token);
  } catch (error) {
    return respondToError(context, error);
  }
  const cleared = {
    'set-cookie': [clearCookie(cookies, 'session'), clearCookie(cookies, 'login')],
  };
  const returnTo = readReturnTo(context, form ?? new URLSearchParams());
  return returnTo === undefined
    ? respondWithPage(env, 200, createSignedOutPage(paths), cleared)
    : respondWithRedirect(returnTo, cleared);
}

function readReturnTo({ env }: LoginContext, fields: URLSearchParams): string | undefined {
  const returnTo = fields.get('return_to') ?? '';
  if (returnTo === '') return undefined;
  return resolveReturnTo(returnTo, {
    publicUrl: env.publicUrl,
    allowedOrigins: env.returnToOrigins,
  });
}
