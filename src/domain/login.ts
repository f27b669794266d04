/**
 * Owns a login from its start to its session, and the record of how it went.
 *
 *     startLogin ──▶ pending login ──▶ browser at the identity provider ──▶ completeLogin
 *                                                                              │
 *       taken once ◀── state, browser, expiry ◀─────────────────────────────────┘
 *           │
 *           ▼                    each step may end it with LoginFailure(stage, reason)
 *       configuration still active and of the same revision
 *           ▼
 *       identity provider: code → verified claims
 *           ▼
 *       mapping → policy → person → session, in one transaction that looks at the configuration again
 *
 * It refuses to own the browser (`login/`), the protocol (`oidc/`), the rule (`claims-policy.ts`) and who a person is
 * (`login-person.ts`).
 */
import { mapClaims } from './claims-mapping.ts';
import { evaluateClaims } from './claims-policy.ts';
import { readSendableSecret } from './client-secret.ts';
import { compileOnce } from './compiled-rules.ts';
import type { ClientRegistration, VerifiedClaims } from './identity-provider.ts';
import { maskEmail } from './login-attempt.ts';
import type { LoginAttempt } from './login-attempt.ts';
import { LoginFailure } from './login-failure.ts';
import { limitCallback, limitLoginStart } from './login-limits.ts';
import { admitPerson, checkEmail } from './login-person.ts';
import type { PersonAttributes } from './login-person.ts';
import type { Environment, StoreTransaction } from './ports.ts';
import { createRedirectUri } from './redirect-uri.ts';
import { digestSecret, generateSecret, isSameDigest } from './secret.ts';
import { digestSessionToken, dropSession, generateSessionToken } from './session.ts';
import type { Session } from './session.ts';
import type { SsoConfiguration } from './sso-configuration.ts';
import { ssoConfigurationNotFound } from './sso-configuration.ts';

/** A login that waits for its callback. Its secrets are stored encrypted, its state and its browser as digests. */
export interface PendingLogin {
  /** Becomes the id of the login attempt. */
  readonly id: string;
  /** SHA-256 of the `state` parameter. */
  readonly stateDigest: Uint8Array;
  /** SHA-256 of the browser's login cookie. */
  readonly browserDigest: Uint8Array;
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  readonly revision: number;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Where the browser goes in the end. */
  readonly returnTo: string;
  /** What the person typed; may be empty. */
  readonly email: string;
  readonly expiresAt: Date;
}

/** How long a person may take at the identity provider, in milliseconds. */
export const PENDING_LOGIN_LIFETIME = 10 * 60 * 1000;

export interface StartLoginInput {
  readonly ssoConfigurationId: string;
  /** The value of the browser's login cookie: at least 128 random bits. */
  readonly browserSecret: string;
  /** Already checked. */
  readonly returnTo: string;
  readonly email: string;
  readonly address: string;
}

export interface CompleteLoginInput {
  /** Whose redirect URI the browser came to. */
  readonly organizationId: string;
  readonly callbackParameters: URLSearchParams;
  readonly browserSecret: string | undefined;
  /** What the browser's session cookie holds: that session ends as the new one begins. */
  readonly replacedSession: string | undefined;
  readonly address: string;
}

/** A login that ended without a session. What went wrong is for the admin, in `failure`. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
  /** Of the attempt that it was recorded as: absent for who is not known to have begun one, and where none are kept. */
  readonly attemptId: string | undefined;
  readonly failure: LoginFailure;
  /** Absent for who is not known to have begun one. */
  readonly ssoConfigurationId: string | undefined;
  /** Where the browser wanted to go, once it has proved to be the one that began; for beginning again. */
  readonly returnTo: string | undefined;

  constructor(
    failure: LoginFailure,
    known: Partial<Pick<LoginRefused, 'attemptId' | 'ssoConfigurationId' | 'returnTo'>> = {},
  ) {
    super(failure.message);
    this.failure = failure;
    this.attemptId = known.attemptId;
    this.ssoConfigurationId = known.ssoConfigurationId;
    this.returnTo = known.returnTo;
  }
}

/** The scopes that are asked for, each once. */
export function selectScopes(
  configuration: Pick<SsoConfiguration, 'additionalScopes'>,
): readonly string[] {
  return [...new Set(['openid', 'email', 'profile', ...configuration.additionalScopes])];
}

/**
 * Begins a login: resolves to the identity provider's URL to send the browser to.
 *
 * Fails with `DomainError('not_found')` for a configuration that does not exist or is switched off, with
 * `resource_exhausted` as `limitLoginStart` does, and with `LoginRefused` when its identity provider cannot be used.
 */
export async function startLogin(env: Environment, input: StartLoginInput): Promise<string> {
  await limitLoginStart(env, input);
  const configuration = await env.store.findSsoConfiguration(input.ssoConfigurationId);
  if (configuration?.state !== 'active') throw ssoConfigurationNotFound();
  const state = generateSecret(env);
  const pending: PendingLogin = {
    id: env.newId(),
    stateDigest: digestSecret(state),
    browserDigest: digestSecret(input.browserSecret),
    organizationId: configuration.organizationId,
    ssoConfigurationId: configuration.id,
    revision: configuration.revision,
    nonce: generateSecret(env),
    codeVerifier: generateSecret(env),
    returnTo: input.returnTo,
    email: input.email,
    expiresAt: new Date(env.now().getTime() + PENDING_LOGIN_LIFETIME),
  };
  return recordRefusal(env, pending, input.address, async () => {
    const url = await env.identityProvider.startLogin(await readRegistration(env, configuration), {
      ...createBinding(env, pending, state),
      scopes: selectScopes(configuration),
      loginHint: input.email === '' ? undefined : input.email,
    });
    await env.store.transaction(async (tx) => {
      await assertStillThere(tx, configuration.id);
      await tx.insertPendingLogin(pending);
    });
    return url;
  });
}

/**
 * Completes a login: resolves to the new session's token and where to send the browser.
 *
 * Fails with `LoginRefused`, and as `limitCallback` does, which spends nothing of the login.
 */
export async function completeLogin(
  env: Environment,
  input: CompleteLoginInput,
): Promise<{
  readonly sessionToken: string;
  readonly returnTo: string;
  readonly session: Session;
}> {
  await limitCallback(env, input.address);
  const state = input.callbackParameters.getAll('state');
  const pending = await takePendingLogin(env, state, input);
  let claims: Readonly<Record<string, unknown>> | undefined;
  let email = pending.email;
  return recordRefusal(
    env,
    pending,
    input.address,
    async () => {
      const configuration = checkConfiguration(
        await env.store.findSsoConfiguration(pending.ssoConfigurationId),
        pending,
      );
      const verified = await env.identityProvider.completeLogin(
        await readRegistration(env, configuration),
        {
          ...createBinding(env, pending, state[0] ?? ''),
          callbackParameters: input.callbackParameters,
        },
      );
      claims = verified.claims;
      email = mapClaims(configuration.claims, claims).email ?? email;
      return openSession(env, pending, configuration, verified, input);
    },
    () => ({ claims, email, returnTo: pending.returnTo }),
  );
}

/** The rule and the person's email, by the configuration alone: what a test login and a preview decide as well. */
export function decideAdmission(
  configuration: Pick<SsoConfiguration, 'claims' | 'claimsExpression' | 'emailDomains'>,
  claims: VerifiedClaims['claims'],
): PersonAttributes {
  const attributes = mapClaims(configuration.claims, claims);
  if (configuration.claimsExpression !== '') {
    const verdict = evaluateClaims(compileRule(configuration.claimsExpression), claims);
    if (!verdict.allowed) {
      const reason =
        verdict.reason === 'claims_too_large'
          ? 'claims_too_large'
          : verdict.reason === 'false'
            ? 'rule_refused'
            : 'rule_failed';
      throw new LoginFailure('policy', reason, verdict.detail);
    }
  }
  return checkEmail(configuration, attributes);
}

async function openSession(
  env: Environment,
  pending: PendingLogin,
  seen: SsoConfiguration,
  verified: VerifiedClaims,
  { address, replacedSession }: CompleteLoginInput,
) {
  const attributes = decideAdmission(seen, verified.claims);
  const sessionToken = generateSessionToken(env.randomBytes);
  return env.store.transaction(async (tx) => {
    const configuration = checkConfiguration(await tx.lockSsoConfiguration(seen.id), pending);
    const attempt = createAttempt(env, pending, address, attributes.email, undefined);
    // Before the user is locked: it refers to the organization, and who changes members locks that first.
    await tx.insertLoginAttempt(attempt, verified.claims, env.attemptRetention);
    const user = await admitPerson(tx, env, configuration, verified, attributes);
    const now = env.now();
    const session: Session = {
      id: env.newId(),
      userId: user.id,
      ssoConfigurationId: configuration.id,
      createdAt: now,
      lastUsedAt: now,
    };
    await tx.insertSession(session, digestSessionToken(sessionToken));
    await dropSession(tx, replacedSession);
    return { sessionToken, returnTo: pending.returnTo, session };
  });
}

/** Takes the pending login out, once for all. Without a trusted one, nobody's admin can be told: the log alone is. */
async function takePendingLogin(
  env: Environment,
  states: readonly string[],
  input: CompleteLoginInput,
): Promise<PendingLogin> {
  const refuse = (reason: LoginFailure['reason'], detail: string): never => {
    throw new LoginRefused(new LoginFailure('callback', reason, detail));
  };
  const [state] = states;
  if (state === undefined || state === '')
    return refuse('state_missing', 'The callback came without a state.');
  if (states.length > 1) return refuse('callback_invalid', 'The callback has two states.');
  const taken = await env.store.transaction((tx) =>
    tx.takePendingLogin(digestSecret(state), env.now()),
  );
  if (taken === undefined)
    return refuse('attempt_unknown', 'No login with this state is known, or it is long over.');
  const { pending, replayed } = taken;
  return recordRefusal(env, pending, input.address, async () => {
    if (replayed)
      throw new LoginFailure('callback', 'attempt_replayed', 'The callback came a second time.');
    checkRedirectUri(pending.organizationId, input.organizationId);
    if (pending.expiresAt <= env.now()) {
      throw new LoginFailure(
        'callback',
        'attempt_expired',
        'The person took more than 10 minutes. They can just begin again.',
      );
    }
    if (
      input.browserSecret === undefined ||
      !isSameDigest(pending.browserDigest, digestSecret(input.browserSecret))
    ) {
      throw new LoginFailure(
        'callback',
        'browser_mismatch',
        'The callback came from another browser than the one in which the login began, or its cookies are blocked.',
      );
    }
    return pending;
  });
}

/** A code that comes to another redirect URI than the login's is another identity provider's (RFC 9700 §4.4.2.2). */
export function checkRedirectUri(expected: string, received: string): void {
  if (expected === received) return;
  throw new LoginFailure(
    'callback',
    'configuration_mismatch',
    'The identity provider answered to the redirect URI of another organization. Its code was sent nowhere. Somebody may have tried to get hold of it.',
  );
}

/** Runs a part of a login. A failure is recorded as an attempt and thrown as `LoginRefused`. */
async function recordRefusal<Result>(
  env: Environment,
  pending: PendingLogin,
  address: string,
  run: () => Promise<Result>,
  known: () => {
    claims: Readonly<Record<string, unknown>> | undefined;
    email: string;
    returnTo: string | undefined;
  } = () => ({ claims: undefined, email: pending.email, returnTo: undefined }),
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LoginFailure)) throw error;
    const { claims, email, returnTo } = known();
    // A replay comes after its login has been recorded under the pending login's id.
    const id = error.reason === 'attempt_replayed' ? env.newId() : pending.id;
    const attempt = createAttempt(env, { ...pending, id }, address, email, error);
    await env.store.transaction(async (tx) => {
      await assertStillThere(tx, pending.ssoConfigurationId);
      await tx.insertLoginAttempt(attempt, claims, env.attemptRetention);
    });
    const isKept = env.attemptRetention.maxAgeMs > 0;
    const attemptId = isKept ? id : undefined;
    const { ssoConfigurationId } = pending;
    throw new LoginRefused(error, { attemptId, ssoConfigurationId, returnTo });
  }
}

function createAttempt(
  env: Environment,
  pending: PendingLogin,
  address: string,
  email: string,
  failure: LoginFailure | undefined,
): LoginAttempt {
  return {
    id: pending.id,
    organizationId: pending.organizationId,
    ssoConfigurationId: pending.ssoConfigurationId,
    revision: pending.revision,
    outcome: failure === undefined ? 'admitted' : 'refused',
    stage: failure?.stage ?? 'session',
    reason: failure?.reason,
    // Others' words may be in it, and PostgreSQL cannot store U+0000.
    detail: (failure?.detail ?? '').replaceAll('\0', '\uFFFD'),
    maskedEmail: maskEmail(email),
    address,
    at: env.now(),
  };
}

/** Identity providers take their time, and what belongs to a configuration goes with it. */
async function assertStillThere(tx: StoreTransaction, ssoConfigurationId: string): Promise<void> {
  if ((await tx.lockSsoConfiguration(ssoConfigurationId)) === undefined)
    throw ssoConfigurationNotFound();
}

/** Switched off, changed or deleted meanwhile: the login does not complete. */
function checkConfiguration(
  configuration: SsoConfiguration | undefined,
  pending: PendingLogin,
): SsoConfiguration {
  if (configuration === undefined) throw ssoConfigurationNotFound();
  if (configuration.state !== 'active') {
    throw new LoginFailure(
      'callback',
      'configuration_inactive',
      'The configuration was switched off during the login.',
    );
  }
  if (configuration.revision !== pending.revision) {
    throw new LoginFailure(
      'callback',
      'configuration_changed',
      'The configuration was changed during the login. The person can just begin again.',
    );
  }
  return configuration;
}

async function readRegistration(
  env: Environment,
  configuration: SsoConfiguration,
): Promise<ClientRegistration> {
  const clientSecret = await readSendableSecret(env.store, configuration);
  if (clientSecret === undefined) throw ssoConfigurationNotFound();
  return { issuerUrl: configuration.issuerUrl, clientId: configuration.clientId, clientSecret };
}

function compileRule(expression: string) {
  try {
    return compileOnce(expression);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new LoginFailure(
      'policy',
      'rule_failed',
      `The claims expression does not compile: ${detail}`,
    );
  }
}

function createBinding(
  env: Environment,
  { organizationId, nonce, codeVerifier }: PendingLogin,
  state: string,
) {
  return {
    redirectUri: createRedirectUri(env.publicUrl, organizationId),
    state,
    nonce,
    codeVerifier,
  };
}
