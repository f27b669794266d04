/**
 * Owns reading openid-client's errors: the one place that knows their codes and what hangs on their causes. Those
 * causes hold tokens, bodies and expected values, so nothing of an error leaves here but what is written out below.
 *
 * Several refusals share a code, and then only the shape of the cause tells them apart. Whatever is not recognised is
 * still a refusal, with a more general reason; the tests pin each of them.
 */
import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { LoginFailure } from '../domain/login-failure.ts';
import type { LoginFailureReason, LoginStage } from '../domain/login-failure.ts';
import { isJsonObject } from './outbound-failure.ts';
import { describeProviderError } from './provider-error-text.ts';

/** Why the code grant failed: at the token endpoint, or over the ID token that came back. */
export async function explainGrantError(
  error: unknown,
  secrets: readonly string[],
): Promise<LoginFailure> {
  const own = findLoginFailure(error);
  if (own !== undefined) return own;
  const refusal = await readTokenRefusal(error);
  if (refusal !== undefined) return explainTokenRefusal(refusal, secrets);
  if (error instanceof ClientError) return explainIdTokenError(error);
  // openid-client throws TypeErrors at JWTs that are not even base64url.
  return refuseIdToken('id_token_invalid', 'It cannot be read.');
}

/** Why userinfo failed. */
export function explainUserinfoError(error: unknown): LoginFailure {
  const own = findLoginFailure(error);
  if (own !== undefined) return new LoginFailure('userinfo', own.reason, own.detail);
  const refuse = (reason: LoginFailureReason, detail: string): LoginFailure =>
    new LoginFailure('userinfo', reason, detail);
  if (error instanceof WWWAuthenticateChallengeError) {
    return refuse(
      'userinfo_refused',
      `userinfo_endpoint: It does not accept the access token that was just issued (status ${error.status}).`,
    );
  }
  if (error instanceof ClientError) {
    const status = readStatus(error.cause);
    if (status === 401 || status === 403) {
      return refuse(
        'userinfo_refused',
        `userinfo_endpoint: It does not accept the access token that was just issued (status ${status}).`,
      );
    }
    if (
      error.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' ||
      error.code === 'OAUTH_RESPONSE_IS_NOT_JSON'
    ) {
      return refuse(
        'issuer_response_invalid',
        `userinfo_endpoint: The answer has status ${status ?? 'unknown'} or is not JSON.`,
      );
    }
    if (error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') {
      return refuse(
        'userinfo_subject_mismatch',
        'Userinfo is about another person ("sub") than the ID token.',
      );
    }
    return refuse(
      'userinfo_invalid',
      'Userinfo is no JSON object with a "sub", or is a JWT that does not verify.',
    );
  }
  return refuse('userinfo_invalid', 'Userinfo cannot be read.');
}

/** A failure of our own that the library wrapped on its way through. */
function findLoginFailure(error: unknown): LoginFailure | undefined {
  if (error instanceof LoginFailure) return error;
  if (error instanceof Error && error.cause !== undefined) return findLoginFailure(error.cause);
  return undefined;
}

interface TokenRefusal {
  readonly status: number;
  readonly error: string | undefined;
  readonly description: string | undefined;
}

/** The token endpoint's refusal (RFC 6749 §5.2), which the library reads only where no challenge came with it. */
async function readTokenRefusal(thrown: unknown): Promise<TokenRefusal | undefined> {
  if (thrown instanceof ResponseBodyError) {
    return { status: thrown.status, error: thrown.error, description: thrown.error_description };
  }
  if (thrown instanceof WWWAuthenticateChallengeError) {
    const body: unknown = await thrown.response.json().catch(() => undefined);
    const { error: code, error_description: description } = isJsonObject(body) ? body : {};
    return {
      status: thrown.status,
      error: typeof code === 'string' ? code : undefined,
      description: typeof description === 'string' ? description : undefined,
    };
  }
  const status = thrown instanceof ClientError ? readStatus(thrown.cause) : undefined;
  return status === undefined ? undefined : { status, error: undefined, description: undefined };
}

function explainTokenRefusal(refusal: TokenRefusal, secrets: readonly string[]): LoginFailure {
  const { status, error, description } = refusal;
  const said =
    error === undefined
      ? `status ${status} without an error that OAuth knows`
      : describeProviderError(error, description, secrets);
  const refuse = (reason: LoginFailureReason, advice: string): LoginFailure =>
    new LoginFailure('token', reason, `token_endpoint: ${said}. ${advice}`);
  if (error === 'invalid_client' || (error === undefined && status === 401)) {
    return refuse(
      'invalid_client',
      'Compare client_id and client_secret with the registration at the identity provider.',
    );
  }
  if (error === 'invalid_grant') {
    return refuse(
      'invalid_grant',
      'The code was used before, has expired, or was issued for another redirect URI.',
    );
  }
  if (error !== undefined)
    return refuse('token_refused', 'The registration may not allow this flow.');
  return refuse('issuer_response_invalid', 'The answer is not a token response.');
}

function explainIdTokenError(error: ClientError): LoginFailure {
  const inner = error.cause;
  const facts = inner instanceof Error && isJsonObject(inner.cause) ? inner.cause : {};
  switch (error.code ?? '') {
    case 'OAUTH_TIMEOUT':
    case 'OAUTH_ABORT':
      return new LoginFailure(
        'token',
        'issuer_timeout',
        'token_endpoint: No complete answer in time.',
      );
    case 'OAUTH_KEY_SELECTION_FAILED':
      return refuseIdToken(
        'unknown_key',
        'The key set at jwks_uri has no key, or several, for its "kid" and "alg".',
      );
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return explainClaimMismatch(facts);
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return facts['claim'] === 'exp'
        ? refuseIdToken('expired', 'It has expired ("exp"). Compare the clocks of both servers.')
        : refuseIdToken(
            'not_yet_valid',
            'It is not valid yet ("nbf"). Compare the clocks of both servers.',
          );
    case 'OAUTH_INVALID_RESPONSE':
      return explainInvalidResponse(facts);
    case 'OAUTH_UNSUPPORTED_OPERATION':
      if ('alg' in facts) return refuseAlgorithm();
      if ('body' in facts)
        return refuseToken('It issued an access token of a type other than Bearer.');
      return refuseIdToken(
        'id_token_invalid',
        'It is encrypted, has a critical header, or was signed with a key too weak or of a kind that we do not know.',
      );
    case 'OAUTH_PARSE_ERROR':
      return inner instanceof Error && inner.message.includes('JWT')
        ? refuseIdToken('id_token_invalid', 'It cannot be read.')
        : refuseToken('The answer is not JSON.');
    default:
      return refuseIdToken(
        'id_token_invalid',
        'It, or the key that it was signed with, cannot be used.',
      );
  }
}

function explainClaimMismatch(facts: Readonly<Record<string, unknown>>): LoginFailure {
  switch (facts['claim']) {
    case 'iss':
      return refuseIdToken('issuer_claim_mismatch', 'It was issued by another issuer ("iss").');
    case 'aud':
      // Core §3.1.3.7, 3 and 4: several audiences, and none singled out.
      return 'expected' in facts
        ? refuseIdToken('audience_mismatch', 'It is meant for another client ("aud").')
        : refuseIdToken(
            'azp_mismatch',
            'It has several audiences ("aud") and does not say for whom it was issued ("azp").',
          );
    case 'azp':
      return refuseIdToken('azp_mismatch', 'It was issued to another client ("azp").');
    case 'nonce':
      return refuseIdToken('nonce_mismatch', 'It answers another login ("nonce").');
    default:
      return refuseIdToken('claim_invalid', 'One of its claims has another value than expected.');
  }
}

function explainInvalidResponse(facts: Readonly<Record<string, unknown>>): LoginFailure {
  if ('header' in facts) return refuseAlgorithm();
  if ('signature' in facts)
    return refuseIdToken(
      'signature_invalid',
      'Its signature does not verify with the key that it names.',
    );
  if (isJsonObject(facts['claims'])) {
    const { claims } = facts;
    const missing = REQUIRED.find((name) => claims[name] === undefined);
    return missing === undefined
      ? refuseIdToken(
          'claim_invalid',
          'One of "iss", "sub", "aud", "exp", "iat", "nbf", "auth_time" is of the wrong type.',
        )
      : refuseIdToken('claim_missing', `It has no "${missing}".`);
  }
  if ('body' in facts) {
    const body = isJsonObject(facts['body']) ? facts['body'] : {};
    return typeof body['access_token'] === 'string' && body['id_token'] === undefined
      ? refuseIdToken(
          'id_token_missing',
          'The token endpoint issued none. Is the scope "openid" allowed for this client?',
        )
      : refuseToken('A field of the answer is missing or of the wrong type.');
  }
  return refuseIdToken('id_token_invalid', 'It is not a signed JWT.');
}

/** What openid-client requires of an ID token that answers a request with a nonce. */
const REQUIRED = ['aud', 'exp', 'iat', 'iss', 'sub', 'nonce'] as const;

const refuseIdToken = (reason: LoginFailureReason, detail: string): LoginFailure =>
  fail('id_token', reason, `ID token: ${detail}`);

const refuseAlgorithm = (): LoginFailure =>
  refuseIdToken(
    'alg_not_allowed',
    'It is signed with an algorithm ("alg") that the identity provider does not announce or that we do not accept.',
  );

const refuseToken = (detail: string): LoginFailure =>
  fail('token', 'token_invalid', `token_endpoint: ${detail}`);

const fail = (stage: LoginStage, reason: LoginFailureReason, detail: string): LoginFailure =>
  new LoginFailure(stage, reason, detail);

/** openid-client hangs the response itself on errors about a status or a content type. */
function readStatus(cause: unknown): number | undefined {
  return cause instanceof Response ? cause.status : undefined;
}
