import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LoginFailure } from '../../src/domain/login-failure.ts';
import type { LoginFailureReason, LoginStage } from '../../src/domain/login-failure.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { catchFailure, createBinding, createClient, registrationAt, signIn } from './login-flow.ts';

let idp: MisbehavingIdp;
beforeAll(async () => {
  idp = await startMisbehavingIdp();
});
afterAll(() => idp.stop());

interface Refusal {
  readonly name: string;
  readonly change: (parameters: URLSearchParams) => void;
  readonly stage?: LoginStage;
  readonly reason: LoginFailureReason;
}

const toError =
  (error: string, description?: string) =>
  (parameters: URLSearchParams): void => {
    parameters.delete('code');
    parameters.set('error', error);
    if (description !== undefined) parameters.set('error_description', description);
  };

const REFUSALS: readonly Refusal[] = [
  { name: 'no state', change: (p) => p.delete('state'), reason: 'state_missing' },
  { name: 'an empty state', change: (p) => p.set('state', ''), reason: 'state_missing' },
  { name: 'another state', change: (p) => p.set('state', 'other'), reason: 'state_mismatch' },
  { name: 'two states', change: (p) => p.append('state', 'x'), reason: 'callback_invalid' },
  { name: 'no iss, announced', change: (p) => p.delete('iss'), reason: 'iss_missing' },
  { name: 'an empty iss', change: (p) => p.set('iss', ''), reason: 'iss_missing' },
  {
    name: 'the iss of another issuer',
    change: (p) => p.set('iss', 'https://other.example'),
    reason: 'iss_mismatch',
  },
  {
    name: 'an iss with a slash more',
    change: (p) => p.set('iss', `${p.get('iss')}/`),
    reason: 'iss_mismatch',
  },
  { name: 'two iss', change: (p) => p.append('iss', 'x'), reason: 'callback_invalid' },
  { name: 'no code', change: (p) => p.delete('code'), reason: 'callback_invalid' },
  { name: 'an empty code', change: (p) => p.set('code', ''), reason: 'callback_invalid' },
  { name: 'two codes', change: (p) => p.append('code', 'x'), reason: 'callback_invalid' },
  {
    name: 'a signed response',
    change: (p) => p.set('response', 'a.b.c'),
    reason: 'callback_invalid',
  },
  {
    name: 'the person’s refusal',
    change: toError('access_denied'),
    stage: 'authorization',
    reason: 'access_denied',
  },
  {
    name: 'another error',
    change: toError('interaction_required'),
    stage: 'authorization',
    reason: 'idp_error',
  },
  {
    name: 'an error of another issuer, which is not believed',
    change: (p) => {
      toError('access_denied')(p);
      p.set('iss', 'https://other.example');
    },
    reason: 'iss_mismatch',
  },
  {
    name: 'an error with another state, which is not believed',
    change: (p) => {
      toError('access_denied')(p);
      p.set('state', 'other');
    },
    reason: 'state_mismatch',
  },
];

describe('a callback', () => {
  test.for(REFUSALS)('is refused, and no code sent: $name', async ({ change, stage, reason }) => {
    idp.behave({ callback: change });
    const before = idp.requests.token;
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({ stage: stage ?? 'callback', reason });
    expect(idp.requests.token).toBe(before);
  });

  test.for([
    { name: 'without iss', change: (p: URLSearchParams) => p.delete('iss'), outcome: 'alice' },
    { name: 'with the right iss', change: () => undefined, outcome: 'alice' },
    {
      name: 'with the wrong iss',
      change: (p: URLSearchParams) => p.set('iss', 'https://other.example'),
      outcome: 'iss_mismatch',
    },
  ])('where iss is not announced, $name: $outcome', async ({ change, outcome }) => {
    idp.behave({
      callback: change,
      discovery: ({ authorization_response_iss_parameter_supported: _announced, ...rest }) => rest,
    });
    const login = signIn(createClient(), idp);
    const seen = await login.then(
      ({ subject }) => subject,
      (error: unknown) => (error instanceof LoginFailure ? error.reason : error),
    );
    expect(seen).toBe(outcome);
  });

  test('quotes the identity provider’s error short, printable and without what looks secret', async () => {
    const secretLooking = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9';
    const description = `The user\u0000<b>"is"</b> not\r\nassigned. ${secretLooking} ${'word '.repeat(200)}`;
    idp.behave({ callback: toError('access_denied', description) });
    const { detail } = await catchFailure(signIn(createClient(), idp));
    expect(detail).toContain('access_denied: The user <b> is </b> not assigned. … word');
    expect(detail).not.toContain('eyJ');
    expect(detail.length).toBeLessThan(400);
  });
});

describe('a code', () => {
  test('is sent with its verifier, and the redirect URI that was asked for', async () => {
    idp.behave({});
    await signIn(createClient(), idp);
    const body = Object.fromEntries(idp.received.tokenBody ?? []);
    expect(Object.keys(body).toSorted()).toEqual([
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ]);
  });

  test('that is replayed is refused', async () => {
    idp.behave({});
    const client = createClient();
    const registration = registrationAt(idp);
    const binding = createBinding();
    const url = await client.startLogin(registration, { ...binding, scopes: ['openid'] });
    const callbackParameters = await idp.authorize(url);
    await client.completeLogin(registration, { ...binding, callbackParameters });
    const again = client.completeLogin(registration, { ...binding, callbackParameters });
    expect(await catchFailure(again)).toMatchObject({ stage: 'token', reason: 'invalid_grant' });
  });

  test.for([
    { name: 'verifier', change: { codeVerifier: 'v'.repeat(43) }, reason: 'invalid_grant' },
    { name: 'nonce', change: { nonce: 'n'.repeat(43) }, reason: 'nonce_mismatch' },
    { name: 'state', change: { state: 's'.repeat(43) }, reason: 'state_mismatch' },
    {
      name: 'redirect URI',
      change: { redirectUri: 'http://localhost:8080/other' },
      reason: 'invalid_grant',
    },
  ])('of another login is refused: another $name', async ({ change, reason }) => {
    idp.behave({});
    expect(await catchFailure(signIn(createClient(), idp, change))).toMatchObject({ reason });
  });
});

describe('an authorization URL', () => {
  test('asks for a code with PKCE S256, state, nonce, scopes and the login hint', async () => {
    idp.behave({});
    const binding = createBinding();
    const url = await createClient().startLogin(registrationAt(idp), {
      ...binding,
      scopes: ['openid', 'email', 'profile', 'groups'],
      loginHint: 'alice+a&b@example.com',
    });
    const { origin, pathname, searchParams } = new URL(url);
    expect(`${origin}${pathname}`).toBe(`${idp.issuer}/authorize`);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: idp.clientId,
      response_type: 'code',
      redirect_uri: binding.redirectUri,
      scope: 'openid email profile groups',
      state: binding.state,
      nonce: binding.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      login_hint: 'alice+a&b@example.com',
    });
    expect(url).not.toContain(binding.codeVerifier);
    expect(url).not.toContain(encodeURIComponent(idp.clientSecret));
  });

  test('keeps the query that the authorization endpoint has', async () => {
    idp.behave({
      discovery: (metadata) => ({
        ...metadata,
        authorization_endpoint: `${idp.issuer}/authorize?p=policy`,
      }),
    });
    const request = { ...createBinding(), scopes: ['openid'] };
    const url = await createClient().startLogin(registrationAt(idp), request);
    expect(new URL(url).searchParams.get('p')).toBe('policy');
  });
});
