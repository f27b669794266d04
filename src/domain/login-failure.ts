/**
 * Owns why a login failed: the stages and reasons, and their words for the organization's admin. What the person at the
 * browser reads is owned by `login/refusal-advice.ts`; it says what to do, and never why.
 */

/** How far a login had come, in the order of the flow. */
export type LoginStage =
  | 'start'
  | 'discovery'
  | 'authorization'
  | 'callback'
  | 'token'
  | 'id_token'
  | 'userinfo'
  | 'policy'
  | 'person'
  | 'session';

/** What went wrong with a request to the identity provider; the stage says with which one. */
export type OutboundFailureReason =
  /** No connection, or it broke. */
  | 'issuer_unreachable'
  /** No complete answer in time. */
  | 'issuer_timeout'
  /** The name is, or resolves to, an address that we do not connect to. */
  | 'issuer_refused_address'
  /** Not `https:`, or not a URL that we would call. */
  | 'issuer_refused_url'
  | 'issuer_tls_failed'
  | 'issuer_redirected'
  | 'issuer_response_too_large'
  /** Answered, with a status or a body that the protocol does not know. */
  | 'issuer_response_invalid';

/** Every way in which a login can fail. */
export type LoginFailureReason =
  | OutboundFailureReason
  // Discovery (OpenID Connect Discovery §4) and the key set it names.
  | 'discovery_invalid'
  | 'issuer_mismatch'
  | 'client_auth_unsupported'
  | 'keys_invalid'
  // The authorization response (RFC 6749 §4.1.2, RFC 9207).
  | 'access_denied'
  | 'idp_error'
  | 'callback_invalid'
  | 'state_missing'
  | 'state_mismatch'
  | 'iss_missing'
  | 'iss_mismatch'
  // The token endpoint (RFC 6749 §5.2).
  | 'invalid_client'
  | 'invalid_grant'
  | 'token_refused'
  | 'token_invalid'
  // The ID token (OpenID Connect Core §3.1.3.7).
  | 'id_token_missing'
  | 'id_token_invalid'
  | 'signature_invalid'
  | 'alg_not_allowed'
  | 'unknown_key'
  | 'issuer_claim_mismatch'
  | 'audience_mismatch'
  | 'azp_mismatch'
  | 'nonce_mismatch'
  | 'claim_missing'
  | 'claim_invalid'
  | 'expired'
  | 'not_yet_valid'
  // Userinfo (OpenID Connect Core §5.3).
  | 'userinfo_refused'
  | 'userinfo_invalid'
  | 'userinfo_subject_mismatch'
  // Our own bookkeeping of the login.
  | 'attempt_unknown'
  | 'attempt_expired'
  | 'attempt_replayed'
  | 'browser_mismatch'
  | 'configuration_mismatch'
  | 'configuration_changed'
  | 'configuration_inactive'
  /** It was given for another server than the issuer is at by now. */
  | 'secret_unavailable'
  | 'secret_undecryptable'
  // Who may come in.
  | 'claims_too_large'
  | 'email_missing'
  | 'email_invalid'
  | 'rule_refused'
  | 'rule_failed'
  | 'email_domain_refused'
  | 'email_not_verified'
  | 'email_taken'
  | 'user_suspended';

/**
 * A login that ends here. `detail` tells the admin what was seen and what to do. It holds no token, no secret, no
 * code and no response body; nor does the error carry a cause, because the libraries' errors hold all of these.
 */
export class LoginFailure extends Error {
  override readonly name = 'LoginFailure';
  readonly stage: LoginStage;
  readonly reason: LoginFailureReason;
  readonly detail: string;

  constructor(stage: LoginStage, reason: LoginFailureReason, detail: string) {
    super(`${stage}: ${reason}: ${detail}`);
    this.stage = stage;
    this.reason = reason;
    this.detail = detail;
  }
}
