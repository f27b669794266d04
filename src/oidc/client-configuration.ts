/**
 * Owns how openid-client is set up for one login: client authentication, signature checks, clocks, and our own outbound
 * requests underneath. A configuration is made for each login and thrown away; what is worth remembering is in
 * `issuer-directory.ts`.
 */
import {
  Configuration,
  ClientSecretPost,
  allowInsecureRequests,
  clockSkew,
  clockTolerance,
  customFetch,
  enableNonRepudiationChecks,
  setJwksCache,
} from 'openid-client';
import type { ClientAuth, CustomFetch, ServerMetadata } from 'openid-client';
import type { ClientRegistration } from '../domain/identity-provider.ts';
import type { Clock } from '../domain/ports.ts';
import type { GuardedFetch, OutboundRequest } from './guarded-fetch.ts';
import { CLOCK_TOLERANCE_SECONDS } from './id-token-checks.ts';
import type { KeySet } from './key-set.ts';
import { fetchFrom } from './outbound-failure.ts';
import type { ClientAuthMethod, ProviderMetadata } from './provider-metadata.ts';
import type { RememberedValue } from './remembered-value.ts';

export interface ClientConfigurationOptions {
  readonly registration: ClientRegistration;
  readonly metadata: ProviderMetadata;
  readonly guarded: GuardedFetch;
  readonly now: Clock;
}

/** Enough to build an authorization URL: nothing is requested and nothing verified with it. */
export function createClientConfiguration(options: ClientConfigurationOptions): Configuration {
  const { registration, metadata, guarded, now } = options;
  const configuration = new Configuration(
    toServerMetadata(metadata),
    registration.clientId,
    {
      // openid-client reads the machine's clock; the skew makes it read ours.
      [clockSkew]: Math.round((now().getTime() - Date.now()) / 1000),
      [clockTolerance]: CLOCK_TOLERANCE_SECONDS,
    },
    createClientAuth(metadata.clientAuthMethod, registration.clientSecret),
  );
  if (guarded.rules.allowHttp) allowInsecureRequests(configuration);
  return configuration;
}

/** openid-client looks for a newer key set when the one that it was given is this old, in seconds. */
const AGE_THAT_MAY_BE_REFRESHED = 60;

/**
 * For trading a code: the signature of every JWT is checked, against the key set that we remember.
 *
 * @param keySet has been asked for already, so that an identity provider whose keys cannot be had costs no code.
 */
export function createVerifyingConfiguration(
  options: ClientConfigurationOptions,
  keys: KeySet,
  keySet: RememberedValue<KeySet>,
): Configuration {
  const configuration = createClientConfiguration(options);
  const { guarded } = options;
  // In the code flow openid-client otherwise trusts TLS alone (Core §3.1.3.7, 6) and takes forged signatures.
  enableNonRepudiationChecks(configuration);
  // Given an age at which it asks once more, openid-client requests jwks_uri exactly when no key fits: the key set
  // was rotated just before signing. Whether that request is really sent is our cooldown's to say.
  const uat = Math.floor(Date.now() / 1000) - AGE_THAT_MAY_BE_REFRESHED;
  setJwksCache(configuration, { jwks: { keys: keys.keys.map((key) => ({ ...key })) }, uat });
  const send: CustomFetch = async (url, request) => {
    if (request.method === 'POST') {
      return fetchFrom(guarded, url, toOutboundRequest(request), 'token', 'token_endpoint');
    }
    if ('authorization' in request.headers) {
      return fetchFrom(guarded, url, toOutboundRequest(request), 'userinfo', 'userinfo_endpoint');
    }
    return Response.json(await keySet.refresh());
  };
  configuration[customFetch] = send;
  return configuration;
}

function toServerMetadata(metadata: ProviderMetadata): ServerMetadata {
  const { userinfoEndpoint } = metadata;
  return {
    issuer: metadata.issuer,
    authorization_endpoint: metadata.authorizationEndpoint,
    token_endpoint: metadata.tokenEndpoint,
    jwks_uri: metadata.jwksUri,
    ...(userinfoEndpoint !== undefined && { userinfo_endpoint: userinfoEndpoint }),
    id_token_signing_alg_values_supported: [...metadata.idTokenSigningAlgorithms],
    userinfo_signing_alg_values_supported: [...metadata.userinfoSigningAlgorithms],
    authorization_response_iss_parameter_supported: metadata.authorizationResponseIss,
  };
}

function createClientAuth(method: ClientAuthMethod, clientSecret: string): ClientAuth {
  if (method === 'client_secret_post') return ClientSecretPost(clientSecret);
  // RFC 6749 §2.3.1. openid-client's own also escapes "-", "." and "_", which is allowed, and which the many servers
  // that do not decode at all then take for another client.
  return (_server, client, _body, headers) => {
    const credentials = `${encodeForm(client.client_id)}:${encodeForm(clientSecret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

/** application/x-www-form-urlencoded, of one value. */
const encodeForm = (value: string): string => new URLSearchParams({ v: value }).toString().slice(2);

function toOutboundRequest(request: Parameters<CustomFetch>[1]): OutboundRequest {
  const { method, headers, body, signal } = request;
  return {
    method: method === 'POST' ? 'POST' : 'GET',
    headers,
    ...(body instanceof URLSearchParams && { body: body.toString() }),
    ...(signal !== undefined && { signal }),
  };
}
