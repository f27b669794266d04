import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientRegistration, VerifiedClaims } from '../../src/domain/identity-provider.ts';
import { signInAtOidcProvider } from '../support/sign-in-at-oidc-provider.ts';
import { startOidcProvider } from '../support/start-oidc-provider.ts';
import type { OidcProvider } from '../support/start-oidc-provider.ts';
import { REDIRECT_URI, catchFailure, createBinding, createClient } from './login-flow.ts';

let provider: OidcProvider;
let registration: ClientRegistration;
beforeAll(async () => {
  provider = await startOidcProvider({ redirectUris: [REDIRECT_URI] });
  const { issuer: issuerUrl, clientId, clientSecret } = provider;
  registration = { issuerUrl, clientId, clientSecret };
});
afterAll(() => provider.stop());

async function signIn(
  account: string,
  change: Partial<ClientRegistration> = {},
): Promise<VerifiedClaims> {
  const client = createClient();
  const binding = createBinding();
  const scopes = ['openid', 'email', 'profile', 'groups'];
  const loginHint = `${account}@example.com`;
  const url = await client.startLogin(registration, { ...binding, scopes, loginHint });
  const callback = await signInAtOidcProvider(url, account);
  expect(`${callback.origin}${callback.pathname}`).toBe(REDIRECT_URI);
  const request = { ...binding, callbackParameters: callback.searchParams };
  return client.completeLogin({ ...registration, ...change }, request);
}

describe('against a real OpenID Provider', () => {
  test.for([
    { account: 'alice', email_verified: true, groups: ['engineering', 'admins'] },
    { account: 'bob', email_verified: true, groups: ['sales'] },
    { account: 'mallory', email_verified: false, groups: ['contractors'] },
  ])('$account signs in and brings claims', async ({ account, email_verified, groups }) => {
    const verified = await signIn(account);
    expect(verified).toMatchObject({
      issuer: provider.issuer,
      subject: account,
      claims: {
        iss: provider.issuer,
        aud: 'claimgate',
        sub: account,
        email: `${account}@example.com`,
        email_verified,
        groups,
      },
    });
  });

  test('a person who cancels is refused as such', async () => {
    const failure = await catchFailure(signIn('cancel'));
    expect(failure).toMatchObject({ stage: 'authorization', reason: 'access_denied' });
    expect(failure.detail).toContain('The person cancelled');
  });

  test('a wrong client secret is refused as such', async () => {
    const failure = await catchFailure(signIn('alice', { clientSecret: 'wrong' }));
    expect(failure).toMatchObject({ stage: 'token', reason: 'invalid_client' });
  });

  test('the sign-in page says so when it knows nobody of that name', async () => {
    const client = createClient();
    const request = { ...createBinding(), scopes: ['openid'] };
    const url = await client.startLogin(registration, request);
    await expect(signInAtOidcProvider(url, 'eve')).rejects.toThrow('answers 422');
  });
});
