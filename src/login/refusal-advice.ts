/**
 * Owns what a person reads when a login was refused. It tells what to do; what went wrong is for the organization's
 * admin, so reasons that differ are told alike.
 */
import type { LoginFailureReason } from '../domain/login-failure.ts';

export interface RefusalAdvice {
  readonly status: 400 | 403;
  readonly heading: string;
  readonly explanation: string;
  readonly whatToDo: string;
}

/** The answer did not belong to a login that waits for it, or no longer. */
const BEGIN_AGAIN: RefusalAdvice = {
  status: 400,
  heading: 'This sign-in cannot go on',
  explanation:
    'It took too long, was opened a second time or in another browser, or the settings changed meanwhile.',
  whatToDo:
    'Begin again, and stay in one browser that accepts cookies. If it happens again, ask the admin of your organization.',
};

const DECLINED: RefusalAdvice = {
  status: 403,
  heading: 'You were not signed in',
  explanation: 'Your organization’s identity provider ended the sign-in.',
  whatToDo: 'If you cancelled it, just begin again. If not, ask the admin of your organization.',
};

const PROVIDER: RefusalAdvice = {
  status: 403,
  heading: 'The sign-in did not work',
  explanation:
    'Your organization’s identity provider could not be reached, or did not answer as expected.',
  whatToDo:
    'Begin again in a few minutes. If it still does not work, ask the admin of your organization.',
};

const NOT_ADMITTED: RefusalAdvice = {
  status: 403,
  heading: 'You cannot sign in here',
  explanation: 'Your organization’s rules do not let you in with this account.',
  whatToDo:
    'If you have another account, begin again with that one. Otherwise ask the admin of your organization.',
};

const OURS: RefusalAdvice = {
  status: 403,
  heading: 'The sign-in did not work',
  explanation: 'Something went wrong on our side.',
  whatToDo:
    'Begin again in a few minutes. If it still does not work, ask the admin of your organization.',
};

const ADVICE: Readonly<Record<LoginFailureReason, RefusalAdvice>> = {
  callback_invalid: BEGIN_AGAIN,
  state_missing: BEGIN_AGAIN,
  state_mismatch: BEGIN_AGAIN,
  iss_missing: BEGIN_AGAIN,
  iss_mismatch: BEGIN_AGAIN,
  attempt_unknown: BEGIN_AGAIN,
  attempt_expired: BEGIN_AGAIN,
  attempt_replayed: BEGIN_AGAIN,
  browser_mismatch: BEGIN_AGAIN,
  configuration_mismatch: BEGIN_AGAIN,
  configuration_changed: BEGIN_AGAIN,
  configuration_inactive: BEGIN_AGAIN,

  access_denied: DECLINED,

  issuer_unreachable: PROVIDER,
  issuer_timeout: PROVIDER,
  issuer_refused_address: PROVIDER,
  issuer_refused_url: PROVIDER,
  issuer_tls_failed: PROVIDER,
  issuer_redirected: PROVIDER,
  issuer_response_too_large: PROVIDER,
  issuer_response_invalid: PROVIDER,
  discovery_invalid: PROVIDER,
  issuer_mismatch: PROVIDER,
  client_auth_unsupported: PROVIDER,
  keys_invalid: PROVIDER,
  idp_error: PROVIDER,
  invalid_client: PROVIDER,
  invalid_grant: PROVIDER,
  token_refused: PROVIDER,
  token_invalid: PROVIDER,
  id_token_missing: PROVIDER,
  id_token_invalid: PROVIDER,
  signature_invalid: PROVIDER,
  alg_not_allowed: PROVIDER,
  unknown_key: PROVIDER,
  issuer_claim_mismatch: PROVIDER,
  audience_mismatch: PROVIDER,
  azp_mismatch: PROVIDER,
  nonce_mismatch: PROVIDER,
  claim_missing: PROVIDER,
  claim_invalid: PROVIDER,
  expired: PROVIDER,
  not_yet_valid: PROVIDER,
  userinfo_refused: PROVIDER,
  userinfo_invalid: PROVIDER,
  userinfo_subject_mismatch: PROVIDER,

  claims_too_large: NOT_ADMITTED,
  email_missing: NOT_ADMITTED,
  email_invalid: NOT_ADMITTED,
  rule_refused: NOT_ADMITTED,
  rule_failed: NOT_ADMITTED,
  email_domain_refused: NOT_ADMITTED,
  email_not_verified: NOT_ADMITTED,
  email_taken: NOT_ADMITTED,
  user_suspended: NOT_ADMITTED,

  secret_unavailable: OURS,
  secret_undecryptable: OURS,
};

export function adviseOn(reason: LoginFailureReason): RefusalAdvice {
  return ADVICE[reason];
}
