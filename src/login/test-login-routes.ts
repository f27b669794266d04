/** Owns the browser's side of a test login: its start, its callback, and the report. It makes no session. */
import { DomainError } from '../domain/errors.ts';
import { PENDING_LOGIN_LIFETIME } from '../domain/pending-login.ts';
import { generateSecret } from '../domain/secret.ts';
import { finishTestLogin, openTestLogin } from '../domain/test-login-browser.ts';
import { readCookie, writeCookie } from '../domain/browser-cookies.ts';
import { respondToError } from './error-response.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginHttpRequest, LoginHttpResponse } from './login-http.ts';
import { createUnavailablePage } from './login-pages.ts';
import { respondWithPage, respondWithRedirect } from './respond.ts';
import { createTestReportPage } from './test-report-page.ts';

/** `GET /login/test/{token}`: sends the browser to the identity provider, once. */
export async function beginTestLogin(
  context: LoginContext,
  { headers, address }: LoginHttpRequest,
  token: string,
): Promise<LoginHttpResponse> {
  const { env, cookies } = context;
  try {
    const browserSecret = readCookie(headers.cookie, cookies, 'login') ?? generateSecret(env);
    const opened = await openTestLogin(env, { token, browserSecret, address });
    if (!('url' in opened)) return respondWithPage(env, 200, createTestReportPage(opened));
    const cookie = writeCookie(cookies, 'login', browserSecret, PENDING_LOGIN_LIFETIME);
    return respondWithRedirect(opened.url, { 'set-cookie': cookie });
  } catch (error) {
    return respondToTestError(context, error);
  }
}

/** The callback of a test login, which has been told from others by its state. */
export async function endTestLogin(
  context: LoginContext,
  { query, headers, address }: LoginHttpRequest,
  organizationId: string,
): Promise<LoginHttpResponse> {
  const { env, cookies } = context;
  try {
    const browserSecret = readCookie(headers.cookie, cookies, 'login');
    const callback = { organizationId, callbackParameters: query, browserSecret, address };
    const result = await finishTestLogin(env, callback);
    return respondWithPage(env, 200, createTestReportPage(result));
  } catch (error) {
    return respondToTestError(context, error);
  }
}

/** Whoever comes too late, twice or from elsewhere reads the same. */
function respondToTestError(context: LoginContext, error: unknown): LoginHttpResponse {
  if (!(error instanceof DomainError) || error.code !== 'not_found') {
    return respondToError(context, error);
  }
  const page = createUnavailablePage(
    'This test login is over',
    'Its link works once, within 10 minutes, and in one browser. Nobody was signed in. Ask for another test login.',
  );
  return respondWithPage(context.env, 404, page);
}
