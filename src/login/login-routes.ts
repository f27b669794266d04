/** Owns the way in: from the email to the identity provider, and back to a session. */
import { MAX_EMAIL_LENGTH } from '../domain/email-domain.ts';
import { DomainError } from '../domain/errors.ts';
import {
  checkReturnTo,
  createLoginUrl,
  describeConfiguration,
  discoverLogins,
} from '../domain/login-discovery.ts';
import { completeLogin, startLogin } from '../domain/login.ts';
import { PENDING_LOGIN_LIFETIME } from '../domain/pending-login.ts';
import { generateSecret } from '../domain/secret.ts';
import { isTestLoginState } from '../domain/test-login-browser.ts';
import { readCookie, writeCookie } from '../domain/browser-cookies.ts';
import { respondToError } from './error-response.ts';
import { findSession } from './find-session.ts';
import type { LoginContext } from './login-context.ts';
import type { LoginHttpRequest, LoginHttpResponse } from './login-http.ts';
import { createChoicePage, createEmailPage, createSwitchPage } from './login-pages.ts';
import { respondWithPage, respondWithRedirect } from './respond.ts';
import { endTestLogin } from './test-login-routes.ts';

/** Where a login ends that began nowhere: a page for everybody, which needs no script. */
export const SIGNED_IN_PATH = '/signed-in';

/** `GET /login`: asks for the email; with one, goes on to the configuration, or lets the person choose. */
export async function askForEmail(
  context: LoginContext,
  { query, address }: LoginHttpRequest,
): Promise<LoginHttpResponse> {
  const { env, paths } = context;
  const { email, returnTo } = readLoginQuery(query);
  try {
    if (returnTo !== '') checkReturnTo(env, returnTo);
    if (email === '') return respondWithPage(env, 200, createEmailPage({ paths, email, returnTo }));
    const choices = await discoverLogins(env, { email, returnTo, address });
    const [only] = choices;
    return choices.length === 1 && only !== undefined
      ? respondWithRedirect(only.loginUrl)
      : respondWithPage(env, 200, createChoicePage(paths, email, returnTo, choices));
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'not_found')
      return respondToError(context, error, returnTo);
    const mistake =
      'No single sign-on is set up for this email address. Check the spelling, or ask the admin of your organization.';
    return respondWithPage(env, 404, createEmailPage({ paths, email, returnTo, mistake }));
  }
}

/** `GET /login/{id}`: sends the browser to the identity provider, and remembers which browser it was. */
export async function beginLogin(
  context: LoginContext,
  request: LoginHttpRequest,
  ssoConfigurationId: string,
): Promise<LoginHttpResponse> {
  const { env, cookies } = context;
  const { query, headers, address } = request;
  const { email, returnTo } = readLoginQuery(query);
  try {
    const asked = await askBeforeSwitching(context, request, ssoConfigurationId);
    if (asked !== undefined) return asked;
    const target = checkReturnTo(
      env,
      returnTo === '' ? `${env.publicUrl}${SIGNED_IN_PATH}` : returnTo,
    );
    // The browser keeps its secret, so that logins in several tabs do not put one another out.
    const browserSecret = readCookie(headers.cookie, cookies, 'login') ?? generateSecret(env);
    const url = await startLogin(env, {
      ssoConfigurationId,
      browserSecret,
      returnTo: target,
      email,
      address,
    });
    const cookie = writeCookie(cookies, 'login', browserSecret, PENDING_LOGIN_LIFETIME);
    return respondWithRedirect(url, { 'set-cookie': cookie });
  } catch (error) {
    return respondToError(context, error, returnTo);
  }
}

/** `GET /auth/oidc/callback/{organizationId}`: trades what the identity provider sent for a session, under a new cookie value always. */
export async function finishLogin(
  context: LoginContext,
  request: LoginHttpRequest,
  organizationId: string,
): Promise<LoginHttpResponse> {
  const { env, cookies } = context;
  const { query, headers, address } = request;
  try {
    // Before anything that could make a session. The identity provider knows one redirect URI for both.
    if (isTestLoginState(query.get('state') ?? undefined))
      return endTestLogin(context, request, organizationId);
    const { sessionToken, returnTo, session } = await completeLogin(env, {
      organizationId,
      callbackParameters: query,
      browserSecret: readCookie(headers.cookie, cookies, 'login'),
      replacedSession: readCookie(headers.cookie, cookies, 'session'),
      address,
    });
    context.noteSession(session.ssoConfigurationId);
    const { absoluteMs } = env.sessionLifetime;
    const cookie = writeCookie(cookies, 'session', sessionToken, absoluteMs);
    return respondWithRedirect(returnTo, { 'set-cookie': cookie });
  } catch (error) {
    return respondToError(context, error);
  }
}

/**
 * A link on another site could put the browser into another organization, where the person would go on working without
 * noticing (login CSRF, RFC 9700 §4.7). So who is signed in is asked first; their answer comes from our own page.
 */
async function askBeforeSwitching(
  context: LoginContext,
  request: LoginHttpRequest,
  ssoConfigurationId: string,
): Promise<LoginHttpResponse | undefined> {
  if (request.headers['sec-fetch-site'] !== 'cross-site') return undefined;
  const { env, paths } = context;
  const session = await findSession(context, request);
  if (session === undefined) return undefined;
  const configuration = await env.store.findSsoConfiguration(ssoConfigurationId);
  if (configuration === undefined || configuration.organizationId === session.user.organizationId)
    return undefined;
  const { email, returnTo } = readLoginQuery(request.query);
  const page = createSwitchPage(paths, {
    name: session.user.name,
    label: describeConfiguration(configuration),
    loginUrl: createLoginUrl(env.publicUrl, ssoConfigurationId, {
      email: email === '' ? undefined : email,
      returnTo: returnTo === '' ? undefined : returnTo,
    }),
  });
  return respondWithPage(env, 200, page);
}

/** What is too long to be an email is cut, so that it is neither stored nor sent on. */
function readLoginQuery(query: URLSearchParams): { email: string; returnTo: string } {
  const email = (query.get('email') ?? '').trim();
  return { email: email.slice(0, MAX_EMAIL_LENGTH), returnTo: query.get('return_to') ?? '' };
}
