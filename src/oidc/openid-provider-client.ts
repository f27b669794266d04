/**
 * Owns the authorization code flow against identity providers (OpenID Connect Core §3.1), with PKCE (RFC 7636) and the
 * issuer check of RFC 9207: the `IdentityProvider` port over openid-client. It refuses to own how requests are sent
 * (`guarded-fetch.ts`), what is remembered (`issuer-directory.ts`) and what the claims decide.
 *
 *     startLogin      discovery ──▶ authorization URL
 *     completeLogin   discovery ──▶ callback ──▶ key set ──▶ token ──▶ ID token ──▶ userinfo ──▶ VerifiedClaims
 *
 * Userinfo is asked for wherever discovery names it, and a login whose userinfo fails is refused: a rule that says
 * `!has(claims.contractor)` must not come true because a server was down.
 */
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
} from 'openid-client';
import type { Configuration, IDToken } from 'openid-client';
import type {
  ClientRegistration,
  CompleteLoginRequest,
  IdentityProvider,
  StartLoginRequest,
  VerifiedClaims,
} from '../domain/identity-provider.ts';
import { LoginFailure } from '../domain/login-failure.ts';
import type { Clock } from '../domain/ports.ts';
import { checkAuthorizationResponse } from './authorization-response.ts';
import { createClientConfiguration, createVerifyingConfiguration } from './client-configuration.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { checkIdTokenClaims } from './id-token-checks.ts';
import { createIssuerDirectory } from './issuer-directory.ts';
import type { IssuerDirectory } from './issuer-directory.ts';
import { explainGrantError, explainUserinfoError } from './library-errors.ts';
import type { KeySet } from './key-set.ts';
import { mergeClaims } from './merge-claims.ts';
import type { RememberedValue } from './remembered-value.ts';
import { limitRequests, TIME_BUDGET, waitWithin } from './time-budget.ts';

export interface OpenidProviderClientOptions {
  readonly guarded: GuardedFetch;
  readonly now: Clock;
  /** One of its own unless given. */
  readonly directory?: IssuerDirectory;
  /** For all requests of one login, in milliseconds. */
  readonly budgetMs?: number;
}

interface Client {
  readonly guarded: GuardedFetch;
  readonly now: Clock;
  readonly directory: IssuerDirectory;
  readonly budgetMs: number;
}

export function createOpenidProviderClient(options: OpenidProviderClientOptions): IdentityProvider {
  const { guarded, now, budgetMs = TIME_BUDGET } = options;
  const { directory = createIssuerDirectory({ guarded, now }) } = options;
  const client: Client = { guarded, now, directory, budgetMs };
  return {
    startLogin: (registration, request) => startLogin(client, registration, request),
    completeLogin: (registration, request) => completeLogin(client, registration, request),
  };
}

async function startLogin(
  client: Client,
  registration: ClientRegistration,
  request: StartLoginRequest,
): Promise<string> {
  const { guarded, now, directory } = client;
  const metadata = await directory.find(registration.issuerUrl).metadata.get();
  const configuration = createClientConfiguration({ registration, metadata, guarded, now });
  const url = buildAuthorizationUrl(configuration, {
    redirect_uri: normalizeRedirectUri(request.redirectUri),
    scope: request.scopes.join(' '),
    state: request.state,
    nonce: request.nonce,
    code_challenge: await calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: 'S256',
    ...(request.loginHint !== undefined && { login_hint: request.loginHint }),
  });
  return url.href;
}

async function completeLogin(
  client: Client,
  registration: ClientRegistration,
  request: CompleteLoginRequest,
): Promise<VerifiedClaims> {
  const { now, directory } = client;
  const signal = AbortSignal.timeout(client.budgetMs);
  const guarded = limitRequests(client.guarded, signal);
  const issuer = directory.find(registration.issuerUrl);
  const metadata = await waitWithin(
    signal,
    issuer.metadata.get(),
    'discovery',
    'discovery document',
  );
  checkAuthorizationResponse(request.callbackParameters, metadata, request.state);
  const options = { registration, metadata, guarded, now };
  const waitForKeys = (loading: Promise<KeySet>): Promise<KeySet> =>
    waitWithin(signal, loading, 'id_token', 'jwks_uri');
  const keySet: RememberedValue<KeySet> = {
    get: () => waitForKeys(issuer.keySet.get()),
    refresh: () => waitForKeys(issuer.keySet.refresh()),
    distrust: () => issuer.keySet.distrust(),
  };
  const configuration = createVerifyingConfiguration(options, await keySet.get(), keySet);

  const { idToken, accessToken } = await tradeCode(configuration, registration, request).catch(
    (error: unknown) => {
      // Perhaps the keys were exchanged under the same name: the next login sees the new ones.
      if (error instanceof LoginFailure && error.reason === 'signature_invalid') keySet.distrust();
      throw error;
    },
  );
  checkIdTokenClaims(idToken, registration.clientId, now().getTime() / 1000);
  const userinfo =
    metadata.userinfoEndpoint === undefined
      ? {}
      : await readUserinfo(configuration, accessToken, idToken.sub);
  return {
    issuer: idToken.iss,
    subject: idToken.sub,
    claims: mergeClaims(idToken, userinfo),
  };
}

interface TradedCode {
  readonly idToken: IDToken;
  readonly accessToken: string;
}

async function tradeCode(
  configuration: Configuration,
  registration: ClientRegistration,
  request: CompleteLoginRequest,
): Promise<TradedCode> {
  const callback = new URL(request.redirectUri);
  callback.search = request.callbackParameters.toString();
  try {
    const tokens = await authorizationCodeGrant(configuration, callback, {
      expectedState: request.state,
      expectedNonce: request.nonce,
      pkceCodeVerifier: request.codeVerifier,
      idTokenExpected: true,
    });
    const idToken = tokens.claims();
    if (idToken === undefined) {
      throw new LoginFailure('id_token', 'id_token_missing', 'The token endpoint issued none.');
    }
    return { idToken, accessToken: tokens.access_token };
  } catch (error) {
    const code = request.callbackParameters.get('code') ?? '';
    throw await explainGrantError(error, [registration.clientSecret, code, request.codeVerifier]);
  }
}

async function readUserinfo(
  configuration: Configuration,
  accessToken: string,
  subject: string,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await fetchUserInfo(configuration, accessToken, subject);
  } catch (error) {
    throw explainUserinfoError(error);
  }
}

/** As openid-client writes it when the code is traded: both must be the same, character for character. */
const normalizeRedirectUri = (redirectUri: string): string => new URL(redirectUri).href;
