/**
 * Owns the checks of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2.4) before anything is sent on its account.
 * openid-client checks most of it again; here each refusal has its own reason.
 */
import { LoginFailure } from '../domain/login-failure.ts';
import { describeProviderError } from './provider-error-text.ts';
import type { ProviderMetadata } from './provider-metadata.ts';

const ONCE = ['state', 'iss', 'code', 'error', 'error_description', 'response'] as const;

/** Fails unless this is a code that answers this login's request and comes from this issuer. */
export function checkAuthorizationResponse(
  parameters: URLSearchParams,
  metadata: ProviderMetadata,
  expectedState: string,
): void {
  // RFC 6749 §3.1: no parameter more than once. Two readers could each take another one.
  for (const name of ONCE) {
    if (parameters.getAll(name).length > 1) {
      throw refuse('callback_invalid', `The callback has "${name}" more than once.`);
    }
  }
  const state = parameters.get('state');
  if (state === null || state === '') throw refuse('state_missing', 'The callback has no state.');
  if (state !== expectedState) {
    throw refuse('state_mismatch', 'The callback has another state than this login.');
  }
  checkIssuerParameter(parameters.get('iss'), metadata);
  const error = parameters.get('error');
  if (error !== null && error !== '') {
    throw new LoginFailure(
      'authorization',
      error === 'access_denied' ? 'access_denied' : 'idp_error',
      `The identity provider did not authorize: ${describeProviderError(error, parameters.get('error_description'))}`,
    );
  }
  if (parameters.get('response') !== null) {
    throw refuse('callback_invalid', 'The callback holds a response mode that was not asked for.');
  }
  const code = parameters.get('code');
  if (code === null || code === '') {
    throw refuse('callback_invalid', 'The callback has neither a code nor an error.');
  }
}

/** RFC 9207 §2.4. An `iss` that was not announced must be right too. */
function checkIssuerParameter(iss: string | null, metadata: ProviderMetadata): void {
  if (iss === null || iss === '') {
    if (!metadata.authorizationResponseIss) return;
    throw refuse(
      'iss_missing',
      'The identity provider announces "iss" in its callbacks, and this one has none.',
    );
  }
  if (iss !== metadata.issuer) {
    throw refuse(
      'iss_mismatch',
      'The callback comes from another issuer than this login was sent to.',
    );
  }
}

const refuse = (
  reason: 'callback_invalid' | 'state_missing' | 'state_mismatch' | 'iss_missing' | 'iss_mismatch',
  detail: string,
): LoginFailure => new LoginFailure('callback', reason, detail);
