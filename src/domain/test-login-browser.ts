/** Owns what the browser does in a test login: it opens the URL, and comes back from the identity provider. */
import { DomainError } from './errors.ts';
import type { LoginBinding, VerifiedClaims } from './identity-provider.ts';
import { LoginFailure } from './login-failure.ts';
import { limitCallback, limitLoginStart } from './login-limits.ts';
import { createRedirectUri } from './redirect-uri.ts';
import { selectScopes } from './login.ts';
import { checkRedirectUri } from './pending-login.ts';
import type { Environment } from './ports.ts';
import { digestSecret, generateSecret } from './secret.ts';
import { readTrialSecret } from './sso-draft.ts';
import { createReport, judgeClaims } from './test-login-report.ts';
import type { TestLoginResult } from './test-login-report.ts';
import { testLoginNotFound } from './test-login.ts';
import type { TestLogin, TestLoginContent } from './test-login.ts';

/**
 * Tells the callback whose it is; base64url, of which other states are made, has no dot. It proves nothing: the whole is
 * looked up by its digest.
 */
const STATE_PREFIX = 'test.';

/** Whether a callback is that of a test login. */
export function isTestLoginState(state: string | undefined): boolean {
  return state?.startsWith(STATE_PREFIX) === true;
}

/**
 * Opens the URL, once: resolves to where to send the browser, or to the report when there is no way on.
 *
 * Fails with `not_found` for a token that is unknown, used or expired, which are all one to whoever tries, and as
 * `limitLoginStart` does.
 */
export async function openTestLogin(
  env: Environment,
  {
    token,
    browserSecret,
    address,
  }: {
    readonly token: string;
    /** The value of the browser's login cookie. */
    readonly browserSecret: string;
    readonly address: string;
  },
): Promise<{ readonly url: string } | TestLoginResult> {
  await limitLoginStart(env, { address, email: '' });
  const state = `${STATE_PREFIX}${generateSecret(env)}`;
  const login = await env.store.transaction(async (tx) => {
    const found = await tx.lockTestLogin('token', digestSecret(token));
    if (found?.phase !== 'waiting' || found.expiresAt <= env.now()) throw testLoginNotFound();
    const opened: TestLogin = {
      ...found,
      phase: 'open',
      stateDigest: digestSecret(state),
      browserDigest: digestSecret(browserSecret),
    };
    await tx.updateTestLogin(opened);
    return opened;
  });
  const plan = readPlan(login);
  try {
    const registration = await readRegistration(env, plan);
    const url = await env.identityProvider.startLogin(registration, {
      ...createBinding(env, plan, state),
      scopes: selectScopes(plan.configuration),
    });
    return { url };
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    return close(env, login, { report: createReport(env, error) });
  }
}

/**
 * Takes the callback, once. Fails with `not_found` for a state that is unknown, used or expired, and for a browser
 * other than the one that opened the test login; the latter ends it. Fails as `limitCallback` does, too.
 */
export async function finishTestLogin(
  env: Environment,
  callback: {
    /** Whose redirect URI the browser came to. */
    readonly organizationId: string;
    readonly callbackParameters: URLSearchParams;
    readonly browserSecret: string | undefined;
    readonly address: string;
  },
): Promise<TestLoginResult> {
  await limitCallback(env, callback.address);
  const { callbackParameters, browserSecret } = callback;
  const [state = '', ...more] = callbackParameters.getAll('state');
  if (more.length > 0) throw testLoginNotFound();
  const login = await env.store.transaction(async (tx) => {
    const found = await tx.lockTestLogin('state', digestSecret(state));
    if (found?.phase !== 'open' || found.expiresAt <= env.now()) throw testLoginNotFound();
    const taken: TestLogin = { ...found, phase: 'taken' };
    await tx.updateTestLogin(taken);
    return taken;
  });
  const { browserDigest } = login;
  const isSameBrowser =
    browserSecret !== undefined && browserDigest === digestSecret(browserSecret);
  if (!isSameBrowser) {
    const failure = new LoginFailure(
      'callback',
      'browser_mismatch',
      'The callback came from another browser than the one that opened the test login, or its cookies are blocked.',
    );
    await close(env, login, { report: createReport(env, failure) });
    throw testLoginNotFound();
  }
  return close(env, login, await judgeCallback(env, readPlan(login), state, callback));
}

type Plan = Extract<TestLoginContent, { kind: 'plan' }>;

async function judgeCallback(
  env: Environment,
  plan: Plan,
  state: string,
  {
    organizationId,
    callbackParameters,
  }: { readonly organizationId: string; readonly callbackParameters: URLSearchParams },
): Promise<TestLoginResult> {
  let verified: VerifiedClaims;
  try {
    checkRedirectUri(plan.configuration.organizationId, organizationId);
    verified = await env.identityProvider.completeLogin(await readRegistration(env, plan), {
      ...createBinding(env, plan, state),
      callbackParameters,
    });
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    return { report: createReport(env, error) };
  }
  return judgeClaims(env, plan.configuration, verified);
}

async function close(
  env: Environment,
  login: TestLogin,
  result: TestLoginResult,
): Promise<TestLoginResult> {
  const content: TestLoginContent = { kind: 'report', report: result.report };
  await env.store.transaction((tx) => tx.updateTestLogin({ ...login, phase: 'over', content }));
  return result;
}

function readPlan({ content }: TestLogin): Plan {
  if (content.kind === 'plan') return content;
  throw testLoginNotFound();
}

async function readRegistration(env: Environment, { configuration, secret }: Plan) {
  const { issuerUrl, clientId } = configuration;
  try {
    const clientSecret = await readTrialSecret(env, configuration, secret);
    if (clientSecret === undefined) throw testLoginNotFound();
    return { issuerUrl, clientId, clientSecret };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'failed_precondition') throw error;
    throw new LoginFailure('start', 'secret_undecryptable', error.message);
  }
}

function createBinding(
  env: Environment,
  { configuration, nonce, codeVerifier }: Plan,
  state: string,
): LoginBinding {
  const redirectUri = createRedirectUri(env.publicUrl, configuration.organizationId);
  return { redirectUri, state, nonce, codeVerifier };
}
