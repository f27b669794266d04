/** Owns one login through the port against a misbehaving identity provider, from its start to its outcome. */
import { randomBytes } from 'node:crypto';
import type {
  ClientRegistration,
  IdentityProvider,
  LoginBinding,
  VerifiedClaims,
} from '../../src/domain/identity-provider.ts';
import { LoginFailure } from '../../src/domain/login-failure.ts';
import { createGuardedFetch } from '../../src/oidc/guarded-fetch.ts';
import type { GuardedFetchOptions } from '../../src/oidc/guarded-fetch.ts';
import { createOpenidProviderClient } from '../../src/oidc/openid-provider-client.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';

/** What lets us talk to 127.0.0.1. */
export const RELAXED = { allowHttp: true, allowPrivate: true } as const;

export const REDIRECT_URI = 'http://localhost:8080/auth/oidc/callback';

export function createClient(
  options: Partial<GuardedFetchOptions> & {
    readonly now?: () => Date;
    readonly budgetMs?: number;
  } = {},
): IdentityProvider {
  const { now = () => new Date(), budgetMs, ...guardedOptions } = options;
  const guarded = createGuardedFetch({ ...RELAXED, ...guardedOptions });
  return createOpenidProviderClient({ guarded, now, ...(budgetMs !== undefined && { budgetMs }) });
}

export function createBinding(): LoginBinding {
  const random = (): string => randomBytes(32).toString('base64url');
  return { redirectUri: REDIRECT_URI, state: random(), nonce: random(), codeVerifier: random() };
}

export function registrationAt(
  idp: Pick<MisbehavingIdp, 'issuer' | 'clientId' | 'clientSecret'>,
): ClientRegistration {
  return { issuerUrl: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret };
}

/** Signs in. The identity provider does what it was told to. */
export async function signIn(
  client: IdentityProvider,
  idp: MisbehavingIdp,
  change: Partial<LoginBinding> = {},
): Promise<VerifiedClaims> {
  const registration = registrationAt(idp);
  const binding = createBinding();
  const scopes = ['openid', 'email', 'profile'];
  const url = await client.startLogin(registration, { ...binding, scopes });
  const callbackParameters = await idp.authorize(url);
  return client.completeLogin(registration, { ...binding, ...change, callbackParameters });
}

/** The failure of a login that must fail. */
export async function catchFailure(login: Promise<unknown>): Promise<LoginFailure> {
  try {
    await login;
  } catch (error) {
    if (error instanceof LoginFailure) return error;
    throw error;
  }
  throw new Error('The login succeeded.');
}
