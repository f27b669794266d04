/**
 * Owns test logins: real logins that make no user and no session, and end in a report. This is what an admin does about
 * them; what the browser does is in `test-login-browser.ts`, what they tell in `test-login-report.ts`.
 *
 *     startTestLogin ──▶ waiting ──▶ openTestLogin ──▶ open ──▶ finishTestLogin ──▶ taken ──▶ over
 *       an admin, by RPC   │ the URL, once               │ the callback, once, by the same browser
 *                          └── 10 minutes in all ────────┘
 *
 * Nothing in these files can make a session: the functions that do are not imported, and the callback of a test login
 * never comes near the pending logins of `login.ts`. The configuration is a copy from when the test began, so that
 * drafts and inactive configurations can be tried.
 */
import { assertAdminOf, assertMayWrite } from './access.ts';
import type { Principal } from './access.ts';
import { describeActor, makeChange, recordAs } from './audit.ts';
import { createViolationError, DomainError } from './errors.ts';
import type { Environment } from './ports.ts';
import { digestSecret, generateSecret } from './secret.ts';
import { resolveTrial } from './sso-draft.ts';
import type { TrialConfiguration, TrialSecret, TrialTarget } from './sso-draft.ts';
import type { TestLoginReport } from './test-login-report.ts';
import { limitTrial } from './trial-limits.ts';

export interface TestLogin {
  readonly id: string;
  readonly organizationId: string;
  /** Absent for the draft of a new configuration. */
  readonly ssoConfigurationId: string | undefined;
  readonly phase: 'waiting' | 'open' | 'taken' | 'over';
  /** SHA-256 of what its URL ends with. */
  readonly tokenDigest: string;
  /** SHA-256 of the `state` parameter, once it is open. */
  readonly stateDigest: string | undefined;
  /** SHA-256 of the cookie of the browser that opened it. */
  readonly browserDigest: string | undefined;
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

export type TestLoginProgress = 'waiting' | 'open' | 'over' | 'expired';

/** In milliseconds. */
const LIFETIME = 10 * 60 * 1000;

/** Where a test login begins, before its token. */
export const TEST_LOGIN_PATH = '/login/test/';

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

/** One error for all that is not there, or is not there any more. */
export function testLoginNotFound(): DomainError {
  return new DomainError('not_found', 'No such test login.', { reason: 'TEST_LOGIN_NOT_FOUND' });
}
