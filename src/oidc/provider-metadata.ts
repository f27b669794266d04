/**
 * Owns discovery (OpenID Connect Discovery 1.0 §4): fetching an identity provider's metadata, believing only what can
 * be believed, and keeping only what we use, so that a large document costs nothing once it is read.
 */
import { LoginFailure } from '../domain/login-failure.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { explainOutboundError, fetchJsonObject } from './outbound-failure.ts';
import type { Endpoint } from './outbound-failure.ts';
import { selectSigningAlgorithms } from './signing-algorithms.ts';

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post';

/** What we rely on of an identity provider's metadata. Every URL has passed the rules for outbound requests. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | undefined;
  readonly clientAuthMethod: ClientAuthMethod;
  /** At least one; never `none`, never an HMAC. */
  readonly idTokenSigningAlgorithms: readonly string[];
  /** Empty when the identity provider does not announce that it signs userinfo. */
  readonly userinfoSigningAlgorithms: readonly string[];
  /** RFC 9207 §3: every authorization response names the issuer. */
  readonly authorizationResponseIss: boolean;
}

/** Of one URL or name in the metadata, in characters. */
const MAX_LENGTH = 2_048;

/** Where an issuer's metadata is. A slash at the issuer's end does not double. */
export function buildDiscoveryUrl(issuerUrl: string): string {
  return `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Fetches and checks an issuer's metadata, anew at every call. */
export async function discoverProvider(
  guarded: GuardedFetch,
  issuerUrl: string,
): Promise<ProviderMetadata> {
  const url = buildDiscoveryUrl(issuerUrl);
  const document = await fetchJsonObject(guarded, url, 'discovery', 'discovery document');
  return readProviderMetadata(document, issuerUrl, guarded);
}

/** Checks a document that was fetched for this issuer, and keeps of it what we use. */
export function readProviderMetadata(
  document: Readonly<Record<string, unknown>>,
  issuerUrl: string,
  guarded: GuardedFetch,
): ProviderMetadata {
  const issuer = document['issuer'];
  if (typeof issuer !== 'string') throw invalid('It names no issuer.');
  // §4.3: exactly. The slash at the end is the difference most often made, so the detail shows both.
  if (issuer !== issuerUrl) {
    const shown = JSON.stringify(issuer.slice(0, MAX_LENGTH));
    throw new LoginFailure(
      'discovery',
      'issuer_mismatch',
      `The discovery document is of issuer ${shown}, and issuer_url is ${JSON.stringify(issuerUrl)}. They must be the same, character for character.`,
    );
  }
  const readEndpoint = (name: Endpoint): string | undefined => {
    const value = document[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value.length > MAX_LENGTH) {
      throw invalid(`Its ${name} is not a URL.`);
    }
    try {
      guarded.checkUrl(value);
    } catch (error) {
      throw explainOutboundError(error, 'discovery', name);
    }
    return value;
  };
  const require = (name: Endpoint): string => {
    const value = readEndpoint(name);
    if (value === undefined) throw invalid(`It names no ${name}.`);
    return value;
  };
  const idTokenSigningAlgorithms = selectSigningAlgorithms(
    readStrings(document['id_token_signing_alg_values_supported']) ?? ['RS256'],
  );
  if (idTokenSigningAlgorithms.length === 0) {
    throw new LoginFailure(
      'discovery',
      'alg_not_allowed',
      'The identity provider announces no signing algorithm for ID tokens that we accept.',
    );
  }
  return {
    issuer,
    authorizationEndpoint: require('authorization_endpoint'),
    tokenEndpoint: require('token_endpoint'),
    jwksUri: require('jwks_uri'),
    userinfoEndpoint: readEndpoint('userinfo_endpoint'),
    clientAuthMethod: selectClientAuthMethod(
      readStrings(document['token_endpoint_auth_methods_supported']),
    ),
    idTokenSigningAlgorithms,
    userinfoSigningAlgorithms: selectSigningAlgorithms(
      readStrings(document['userinfo_signing_alg_values_supported']) ?? [],
    ),
    authorizationResponseIss: document['authorization_response_iss_parameter_supported'] === true,
  };
}

/** Discovery §3: `client_secret_basic` when nothing is announced. It is taken where both are, as RFC 6749 §2.3.1 prefers. */
function selectClientAuthMethod(announced: readonly string[] | undefined): ClientAuthMethod {
  if (announced === undefined || announced.includes('client_secret_basic')) {
    return 'client_secret_basic';
  }
  if (announced.includes('client_secret_post')) return 'client_secret_post';
  throw new LoginFailure(
    'discovery',
    'client_auth_unsupported',
    'The identity provider announces neither client_secret_basic nor client_secret_post for its token endpoint.',
  );
}

function readStrings(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((item) => typeof item === 'string');
}

const invalid = (what: string): LoginFailure =>
  new LoginFailure(
    'discovery',
    'discovery_invalid',
    `The discovery document cannot be used. ${what}`,
  );
