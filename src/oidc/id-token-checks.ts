/**
 * Owns the checks of an ID token's claims that openid-client leaves out or does only in part. Signature, `iss`, `aud`,
 * `exp`, `nbf` and `nonce` are its work.
 */
import { LoginFailure } from '../domain/login-failure.ts';

/**
 * How far an identity provider's clock may be from ours, in seconds, either way: `exp` may lie that far behind, `nbf`
 * and `iat` that far ahead.
 */
export const CLOCK_TOLERANCE_SECONDS = 30;

/** OpenID Connect Core §2: `sub` is at most 255 ASCII characters. */
const MAX_SUBJECT_LENGTH = 255;

/**
 * Fails unless the token was issued to us, of somebody, and not in the future.
 *
 * @param now in seconds.
 */
export function checkIdTokenClaims(
  claims: Readonly<Record<string, unknown>>,
  clientId: string,
  now: number,
): void {
  const { sub, azp, iat } = claims;
  if (
    typeof sub !== 'string' ||
    sub.trim() === '' ||
    sub.length > MAX_SUBJECT_LENGTH ||
    sub.includes('\0')
  ) {
    throw refuse(
      'claim_invalid',
      `"sub" must be a text of 1 to ${MAX_SUBJECT_LENGTH} characters, none of them U+0000.`,
    );
  }
  // Core §3.1.3.7, 5. openid-client looks at azp only where there are several audiences.
  if (azp !== undefined && azp !== clientId) {
    throw refuse('azp_mismatch', 'The ID token was issued to another client ("azp").');
  }
  if (typeof iat !== 'number' || iat > now + CLOCK_TOLERANCE_SECONDS) {
    throw refuse(
      'not_yet_valid',
      'The ID token was issued in the future ("iat"). Compare the clocks of both servers.',
    );
  }
}

const refuse = (
  reason: 'claim_invalid' | 'azp_mismatch' | 'not_yet_valid',
  detail: string,
): LoginFailure => new LoginFailure('id_token', reason, detail);
