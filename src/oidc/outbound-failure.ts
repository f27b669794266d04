/** Owns how a failed request to an identity provider reads in a login's record: one exhaustive table. */
import { LoginFailure } from '../domain/login-failure.ts';
import type { LoginStage, OutboundFailureReason } from '../domain/login-failure.ts';
import type { IdpRequestKind } from '../domain/observation.ts';
import type { GuardedFetch, OutboundRequest } from './guarded-fetch.ts';
import { GuardedFetchError } from './guarded-fetch-error.ts';
import type { GuardedFetchErrorCode } from './guarded-fetch-error.ts';

const REASONS: Readonly<Record<GuardedFetchErrorCode, OutboundFailureReason>> = {
  url_refused: 'issuer_refused_url',
  address_refused: 'issuer_refused_address',
  name_not_found: 'issuer_unreachable',
  connect_failed: 'issuer_unreachable',
  connect_timeout: 'issuer_timeout',
  tls_failed: 'issuer_tls_failed',
  timeout: 'issuer_timeout',
  aborted: 'issuer_timeout',
  redirected: 'issuer_redirected',
  headers_too_large: 'issuer_response_too_large',
  body_too_large: 'issuer_response_too_large',
  encoding_refused: 'issuer_response_invalid',
  protocol_error: 'issuer_response_invalid',
};

/** What a request was for, in the words of the specifications. */
export type Endpoint =
  | 'discovery document'
  | 'authorization_endpoint'
  | 'jwks_uri'
  | 'token_endpoint'
  | 'userinfo_endpoint';

const KINDS: Readonly<Record<FetchedEndpoint, IdpRequestKind>> = {
  'discovery document': 'discovery',
  jwks_uri: 'jwks',
  token_endpoint: 'token',
  userinfo_endpoint: 'userinfo',
};

/** The browser alone goes to the other one. */
type FetchedEndpoint = Exclude<Endpoint, 'authorization_endpoint'>;

export function explainOutboundError(
  error: unknown,
  stage: LoginStage,
  endpoint: Endpoint,
): LoginFailure {
  if (error instanceof LoginFailure) return error;
  if (!(error instanceof GuardedFetchError)) throw error;
  return new LoginFailure(stage, REASONS[error.code], `${endpoint}: ${error.message}`);
}

/** One request, whose failure is a `LoginFailure` of that stage. */
export async function fetchFrom(
  guarded: GuardedFetch,
  url: string,
  request: OutboundRequest,
  stage: LoginStage,
  endpoint: FetchedEndpoint,
): Promise<Response> {
  try {
    return await guarded.fetch(url, { ...request, kind: KINDS[endpoint] });
  } catch (error) {
    throw explainOutboundError(error, stage, endpoint);
  }
}

/** The JSON object that a GET answers with. */
export async function fetchJsonObject(
  guarded: GuardedFetch,
  url: string,
  stage: LoginStage,
  endpoint: FetchedEndpoint,
): Promise<Readonly<Record<string, unknown>>> {
  const request: OutboundRequest = { headers: { accept: 'application/json' } };
  const response = await fetchFrom(guarded, url, request, stage, endpoint);
  const invalid = (what: string): LoginFailure =>
    new LoginFailure(stage, 'issuer_response_invalid', `${endpoint}: ${what}`);
  if (response.status !== 200) throw invalid(`The answer has status ${response.status}, not 200.`);
  const json: unknown = await response.json().catch(() => undefined);
  if (!isJsonObject(json)) throw invalid('The answer is not a JSON object.');
  return json;
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
