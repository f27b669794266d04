/**
 * Owns test logins: real logins that make no user and no session, and end in a report.
 *
 *     startTestLogin ──▶ waiting ──▶ openTestLogin ──▶ open ──▶ finishTestLogin ──▶ taken ──▶ over
 *       an admin, by RPC   │ the URL, once               │ the callback, once, by the same browser
 *                          └── 10 minutes in all ────────┘
 *
 * Nothing here can make a session: the functions that do are not imported, and the callback of a test login never
 * comes near the pending logins of `login.ts`. The configuration is a copy from when the test began, so that drafts
 * and inactive configurations can be tried.
 */
import { assertAdminOf, assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs } from './audit.ts';
import { mapClaims } from './claims-mapping.ts';
import type { MappedAttributes } from './claims-mapping.ts';
import type { ClaimsVerdict } from './claims-policy.ts';
import { compileOnce } from './compiled-rules.ts';
import { createViolationError, DomainError } from './errors.ts';
import { explainVerdict } from './explain-verdict.ts';
import type { VerdictExplanation } from './explain-verdict.ts';
import type { LoginBinding, VerifiedClaims } from './identity-provider.ts';
import { maskEmail } from './login-attempt.ts';
import { LoginFailure } from './login-failure.ts';
import type { LoginFailureReason, LoginStage } from './login-failure.ts';
import { limitCallback, limitLoginStart } from './login-limits.ts';
import { identifyPerson } from './login-person.ts';
import type { IdentifiedPerson } from './login-person.ts';
import { createRedirectUri } from './redirect-uri.ts';
import { decideAdmission, selectScopes } from './login.ts';
import { checkRedirectUri } from './pending-login.ts';
import type { Environment } from './ports.ts';
import { digestSecret, generateSecret, isSameDigest } from './secret.ts';
import { readTrialSecret, resolveTrial } from './sso-draft.ts';
import type { TrialConfiguration, TrialSecret, TrialTarget } from './sso-draft.ts';
import { limitTrial } from './trial-limits.ts';

export interface TestLogin {
  readonly id: string;
  readonly organizationId: string;
  /** Absent for the draft of a new configuration. */
  readonly ssoConfigurationId: string | undefined;
  readonly phase: 'waiting' | 'open' | 'taken' | 'over';
  /** SHA-256 of what its URL ends with. */
  readonly tokenDigest: Uint8Array;
  /** SHA-256 of the `state` parameter, once it is open. */
  readonly stateDigest: Uint8Array | undefined;
  /** SHA-256 of the cookie of the browser that opened it. */
  readonly browserDigest: Uint8Array | undefined;
  readonly expiresAt: Date;
  readonly content: TestLoginContent;
}

/** Until it is over it holds what it needs; then nothing of that is left. */
export type TestLoginContent =
  | {
      readonly kind: 'plan';
      readonly configuration: TrialConfiguration;
      readonly secret: TrialSecret;
      readonly nonce: string;
      readonly codeVerifier: string;
    }
  | { readonly kind: 'report'; readonly report: TestLoginReport };

/** What admins are told. The claims' values are not in it, but for those that the explanation quotes. */
export interface TestLoginReport {
  readonly wouldAdmit: boolean;
  readonly stage: LoginStage;
  /** Absent when it would admit. */
  readonly reason?: LoginFailureReason | undefined;
  readonly detail: string;
  /** What would happen to the person, in a sentence. */
  readonly consequence: string;
  readonly claimNames: readonly string[];
  readonly maskedEmail: string;
  /** Absent when there is no rule, or it was not asked. */
  readonly verdict?: ClaimsVerdict | undefined;
  readonly explanation?: VerdictExplanation | undefined;
  /** ISO 8601. */
  readonly endedAt: string;
}

/** The report, and what the browser alone is shown. */
export interface TestLoginResult {
  readonly report: TestLoginReport;
  readonly claims?: VerifiedClaims['claims'] | undefined;
  readonly attributes?: MappedAttributes | undefined;
}

export type TestLoginProgress = 'waiting' | 'open' | 'over' | 'expired';

/** In milliseconds. */
const LIFETIME = 10 * 60 * 1000;

/** Where a test login begins, before its token. */
export const TEST_LOGIN_PATH = '/login/test/';

/**
 * Tells the callback whose it is; base64url, of which other states are made, has no dot. It proves nothing: the whole is
 * looked up by its digest.
 */
const STATE_PREFIX = 'test.';

/** Whether a callback is that of a test login. */
export function isTestLoginState(state: string | undefined): boolean {
  return state?.startsWith(STATE_PREFIX) === true;
}

/** For admins. Fails as `resolveTrial` does, and with `resource_exhausted`. */
export async function startTestLogin(
  env: Environment,
  caller: Principal,
  target: TrialTarget,
): Promise<{ readonly id: string; readonly url: string; readonly expiresAt: Date }> {
  assertMayWrite(caller);
  const { configuration, storedId, secret } = await resolveTrial(env, caller, target);
  if (secret.kind === 'none') {
    throw createViolationError([
      {
        field: 'draft.client_secret',
        rule: 'trial.secret',
        message:
          'is needed: the stored secret is not used for another issuer_url or client_id than it was stored for',
      },
    ]);
  }
  await limitTrial(env, 'testLogin', configuration.organizationId);
  const token = generateSecret(env);
  const login: TestLogin = {
    id: env.newId(),
    organizationId: configuration.organizationId,
    ssoConfigurationId: storedId,
    phase: 'waiting',
    tokenDigest: digestSecret(token),
    stateDigest: undefined,
    browserDigest: undefined,
    expiresAt: new Date(env.now().getTime() + LIFETIME),
    content: {
      kind: 'plan',
      configuration: pickTrialFields(configuration),
      secret,
      nonce: generateSecret(env),
      codeVerifier: generateSecret(env),
    },
  };
  const { id, organizationId, expiresAt } = login;
  return makeChange(env, describeActor(caller), async (tx) => {
    await tx.insertTestLogin(login);
    return recordAs(
      { id, url: `${env.publicUrl}${TEST_LOGIN_PATH}${token}`, expiresAt },
      {
        action: 'test_login.started',
        organizationId,
        subject:
          storedId === undefined
            ? { type: 'organization', id: organizationId }
            : { type: 'sso_configuration', id: storedId },
      },
    );
  });
}

/** For admins of the organization that it belongs to. */
export async function getTestLogin(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<{ readonly progress: TestLoginProgress; readonly report: TestLoginReport | undefined }> {
  const login = await env.store.findTestLogin(id);
  if (login === undefined) throw testLoginNotFound();
  assertAdminOf(caller, login.organizationId, testLoginNotFound);
  if (login.content.kind === 'report') return { progress: 'over', report: login.content.report };
  if (login.expiresAt <= env.now()) return { progress: 'expired', report: undefined };
  return { progress: login.phase === 'waiting' ? 'waiting' : 'open', report: undefined };
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
    browserSecret !== undefined &&
    browserDigest !== undefined &&
    isSameDigest(browserDigest, digestSecret(browserSecret));
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
  const { claims } = verified;
  const { configuration } = plan;
  const seen = { claims, attributes: mapClaims(configuration.claims, claims) };
  try {
    const person = await foreseePerson(env, configuration, verified);
    const consequence = describeConsequence(person, configuration);
    return { ...seen, report: createReport(env, undefined, configuration, claims, consequence) };
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    return { ...seen, report: createReport(env, error, configuration, claims) };
  }
}

/** Who the person would be, by the same steps as at a login, without the last one. */
async function foreseePerson(
  env: Environment,
  configuration: TrialConfiguration,
  verified: VerifiedClaims,
): Promise<IdentifiedPerson> {
  const attributes = decideAdmission(configuration, verified.claims);
  return env.store.transaction((tx) => identifyPerson(tx, configuration, verified, attributes));
}

function describeConsequence(person: IdentifiedPerson, { state }: TrialConfiguration): string {
  const inactive =
    state === 'active'
      ? ''
      : ' The configuration is inactive: nobody is signed in through it until it is switched on.';
  switch (person.kind) {
    case 'new':
      return `A new member would be made, with the role MEMBER, and signed in.${inactive}`;
    case 'known':
      return `The person would be signed in as the member ${person.user.id}, who they have been before.${inactive}`;
    case 'linked':
      return `The person would be signed in as the member ${person.user.id}, whose email they have proved.${inactive}`;
  }
}

function createReport(
  env: Environment,
  failure: LoginFailure | undefined,
  configuration?: TrialConfiguration,
  claims?: VerifiedClaims['claims'],
  consequence = 'Nobody would be signed in, and no member made.',
): TestLoginReport {
  const expression = configuration?.claimsExpression ?? '';
  const isJudged = claims !== undefined && expression !== '';
  const attributes = mapClaims(configuration?.claims ?? {}, claims ?? {});
  return {
    wouldAdmit: failure === undefined,
    stage: failure?.stage ?? 'session',
    reason: failure?.reason,
    detail: failure?.detail ?? '',
    consequence,
    claimNames: Object.keys(claims ?? {}).toSorted(),
    maskedEmail: maskEmail(attributes.email ?? ''),
    ...(isJudged && judge(expression, claims)),
    endedAt: env.now().toISOString(),
  };
}

function judge(expression: string, claims: VerifiedClaims['claims']) {
  try {
    return explainVerdict(compileOnce(expression), claims);
  } catch {
    // The failure of the login has said so already.
    return {};
  }
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

/** Nothing else of a stored configuration is copied. */
function pickTrialFields(configuration: TrialConfiguration): TrialConfiguration {
  const { id, organizationId, issuerUrl, clientId, state, claims, emailDomains } = configuration;
  const { displayName, additionalScopes, claimsExpression } = configuration;
  return {
    id,
    organizationId,
    issuerUrl,
    clientId,
    state,
    claims,
    emailDomains,
    displayName,
    additionalScopes,
    claimsExpression,
  };
}

function testLoginNotFound(): DomainError {
  return new DomainError('not_found', 'No such test login.', { reason: 'TEST_LOGIN_NOT_FOUND' });
}
