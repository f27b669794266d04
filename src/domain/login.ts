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
import { makeChange, recordAs } from './audit.ts';
import type { AuditActor } from './audit.ts';
import { compileOnce } from './compiled-rules.ts';
import type { ClientRegistration, VerifiedClaims } from './identity-provider.ts';
import { LoginFailure } from './login-failure.ts';
import { limitCallback, limitLoginStart } from './login-limits.ts';
import { admitPerson, checkEmail } from './login-person.ts';
import type { PersonAttributes } from './login-person.ts';
import { assertStillThere, createAttempt, recordRefusal } from './login-refusal.ts';
import { PENDING_LOGIN_LIFETIME, takePendingLogin } from './pending-login.ts';
import type { PendingLogin } from './pending-login.ts';
import type { Environment } from './ports.ts';
import { createRedirectUri } from './redirect-uri.ts';
import { digestSecret, generateSecret } from './secret.ts';
import { digestSessionToken, dropSession, generateSessionToken } from './session.ts';
import type { Session } from './session.ts';
import type { SsoConfiguration } from './sso-configuration.ts';
import { ssoConfigurationNotFound } from './sso-configuration.ts';

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

function describeActor({ session }: { readonly session: Session }): AuditActor {
  return { kind: 'sso_login', userId: session.userId, credentialId: session.id };
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
  // The sign-in itself is recorded by the attempt, and what it changed of the person beside that.
  return makeChange(env, describeActor, async (tx) => {
    const configuration = checkConfiguration(await tx.lockSsoConfiguration(seen.id), pending);
    const { user, changes } = await admitPerson(tx, env, configuration, verified, attributes);
    const attempt = createAttempt(env, pending, address, attributes.email, undefined);
    const admitted = { ...attempt, userId: user.id };
    await tx.insertLoginAttempt(admitted, verified.claims, env.attemptRetention);
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
    return recordAs({ sessionToken, returnTo: pending.returnTo, session }, ...changes);
  });
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
