/**
 * Owns one login attempt with what is kept of its claims, for the admin who is told its id: by whom it was tried, why
 * it ended so, and what the identity provider said. It refuses to own how long claims are kept (`login-attempt.ts`).
 */
import { assertAdminOf } from './access.ts';
import type { Principal } from './access.ts';
import { DomainError } from './errors.ts';
import { explainAttempt } from './explain-attempt.ts';
import type { VerdictExplanation } from './explain-verdict.ts';
import type { ListedLoginAttempt, LoginAttempt } from './login-attempt.ts';
import type { Environment } from './ports.ts';

type Claims = Readonly<Record<string, unknown>>;

/** They, or why they are not there. */
export type KeptClaims =
  | { readonly state: 'kept'; readonly claims: Claims }
  | { readonly state: 'none_came' | 'not_kept' | 'unreadable'; readonly detail: string };

export interface ShownLoginAttempt {
  readonly attempt: ListedLoginAttempt;
  /** Absent unless the rule refused and the claims are there. */
  readonly explanation: VerdictExplanation | undefined;
  readonly kept: KeptClaims;
}

/** For admins of its organization. Fails with `not_found`, also for an attempt that has been forgotten. */
export async function getLoginAttempt(
  env: Environment,
  caller: Principal,
  id: string,
): Promise<ShownLoginAttempt> {
  const attempt = await env.store.findLoginAttempt(id);
  if (attempt === undefined) throw loginAttemptNotFound();
  assertAdminOf(caller, attempt.organizationId, loginAttemptNotFound);
  const read = await readKeptClaims(env, attempt);
  // The explanation sees what the rule saw; what is shown has no tokens in it.
  const explanation =
    read.state === 'kept' ? await explainAttempt(env, attempt, read.claims) : undefined;
  const kept = read.state === 'kept' ? { ...read, claims: withholdTokens(read.claims) } : read;
  return { attempt: { ...attempt, claimsKept: kept.state === 'kept' }, explanation, kept };
}

async function readKeptClaims(
  { store, attemptRetention }: Environment,
  attempt: LoginAttempt,
): Promise<KeptClaims> {
  try {
    const claims = await store.readLoginAttemptClaims(attempt.id);
    if (claims !== undefined) return { state: 'kept', claims };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'failed_precondition') throw error;
    return { state: 'unreadable', detail: error.message };
  }
  if (!mayHaveHadClaims(attempt)) {
    return {
      state: 'none_came',
      detail:
        'No claims came: the login ended before the identity provider had said anything that could be verified.',
    };
  }
  const { claimsPerConfiguration } = attemptRetention;
  const why =
    claimsPerConfiguration === 0
      ? 'this server keeps none'
      : `only the newest ${claimsPerConfiguration} attempts of a configuration keep them, and none of more than 64 KiB`;
  return {
    state: 'not_kept',
    detail: `The claims are not kept: ${why}. A test login shows the claims of today.`,
  };
}

/** Before the policy no claims have been verified, unless the configuration was changed just then. */
function mayHaveHadClaims({ stage, reason }: LoginAttempt): boolean {
  return (
    stage === 'policy' ||
    stage === 'person' ||
    stage === 'session' ||
    reason === 'configuration_changed' ||
    reason === 'configuration_inactive'
  );
}

const WITHHELD = '(withheld)';

/** What may be a credential by its name: OpenID Connect Core §5.6.2 has the first two within `_claim_sources`. */
const CREDENTIAL_NAMES = new Set(['access_token', 'JWT', 'id_token', 'refresh_token', 'code']);

/** Compact JWS and JWE (RFC 7515 §7.1, RFC 7516 §7.1) begin with the base64url of `{"`. */
const COMPACT_JWT = /^eyJ[\w-]*(?:\.[\w-]*){2,4}$/;

/** The claims without tokens that the identity provider has put among them: whoever reads them may not use those. */
function withholdTokens(claims: Claims): Claims {
  return JSON.parse(
    JSON.stringify(claims, (name, value: unknown) =>
      (typeof value === 'string' && (CREDENTIAL_NAMES.has(name) || COMPACT_JWT.test(value))) ||
      (Array.isArray(value) && CREDENTIAL_NAMES.has(name))
        ? WITHHELD
        : value,
    ),
  );
}

function loginAttemptNotFound(): DomainError {
  return new DomainError(
    'not_found',
    'No such login attempt. ListLoginAttempts shows those of your organization that are still kept.',
    { reason: 'LOGIN_ATTEMPT_NOT_FOUND' },
  );
}
