import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoginFailureReason, LoginStage } from '../../src/domain/login-failure.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type {
  EndpointName,
  Misbehaviour,
  MisbehavingIdp,
} from '../support/start-misbehaving-idp.ts';
import type { Fault } from '../support/misbehaving-idp-faults.ts';
import { catchFailure, createBinding, createClient, registrationAt, signIn } from './login-flow.ts';

let idp: MisbehavingIdp;
beforeAll(async () => {
  idp = await startMisbehavingIdp();
});
afterAll(() => idp.stop());

const STAGES: readonly { readonly endpoint: EndpointName; readonly stage: LoginStage }[] = [
  { endpoint: 'discovery', stage: 'discovery' },
  { endpoint: 'jwks', stage: 'id_token' },
  { endpoint: 'token', stage: 'token' },
  { endpoint: 'userinfo', stage: 'userinfo' },
];

const FAULTS: Readonly<Record<Fault, LoginFailureReason>> = {
  huge: 'issuer_response_too_large',
  'huge, as announced': 'issuer_response_too_large',
  'compressed bomb': 'issuer_response_too_large',
  'empty compressed blocks': 'issuer_response_too_large',
  'unknown encoding': 'issuer_response_invalid',
  dripping: 'issuer_timeout',
  silent: 'issuer_timeout',
  'hanging up': 'issuer_unreachable',
  'status 500': 'issuer_response_invalid',
  redirect: 'issuer_redirected',
  'huge headers': 'issuer_response_too_large',
  'not JSON': 'issuer_response_invalid',
  'JSON list': 'issuer_response_invalid',
  'nested 500,000 deep': 'issuer_response_invalid',
};

/** What the library reads, it names otherwise. */
const ELSEWHERE: Readonly<Record<string, LoginFailureReason>> = {
  'token JSON list': 'token_invalid',
  'token nested 500,000 deep': 'token_invalid',
  'userinfo JSON list': 'userinfo_invalid',
  'userinfo nested 500,000 deep': 'userinfo_invalid',
};

const CASES = STAGES.flatMap(({ endpoint, stage }) =>
  Object.entries(FAULTS).map(([fault, reason]) => ({
    endpoint,
    stage,
    fault: fault as Fault,
    reason: ELSEWHERE[`${endpoint} ${fault}`] ?? reason,
  })),
);

describe('an identity provider whose', () => {
  test.for(CASES)(
    '$endpoint is $fault is refused as $reason',
    async ({ endpoint, stage, fault, reason }) => {
      idp.behave({ faults: { [endpoint]: fault } });
      const isSlow = reason === 'issuer_timeout';
      const client = createClient({ limits: { totalMs: isSlow ? 300 : 10_000 } });
      const before = idp.bytesSent();
      const failure = await catchFailure(signIn(client, idp));
      expect(failure).toMatchObject({ stage, reason });
      // 200 MB were on offer; what the sockets' buffers took is all that was sent.
      expect(idp.bytesSent() - before).toBeLessThan(32 * 1024 * 1024);
    },
  );

  test('server is down is unreachable', async () => {
    const gone = await startMisbehavingIdp();
    await gone.stop();
    expect(await catchFailure(signIn(createClient(), gone))).toMatchObject({
      stage: 'discovery',
      reason: 'issuer_unreachable',
    });
  });
});

const tokenError = (
  status: number,
  body: unknown,
  headers?: Record<string, string>,
): NonNullable<Misbehaviour['tokenError']> => ({
  status,
  body,
  ...(headers !== undefined && { headers }),
});

describe('a token endpoint', () => {
  const challenge = { 'www-authenticate': 'Basic realm="x"' };
  test.for([
    {
      name: '400 invalid_grant',
      error: tokenError(400, { error: 'invalid_grant' }),
      reason: 'invalid_grant',
    },
    {
      name: '400 invalid_client',
      error: tokenError(400, { error: 'invalid_client' }),
      reason: 'invalid_client',
    },
    {
      name: '401 invalid_client',
      error: tokenError(401, { error: 'invalid_client' }),
      reason: 'invalid_client',
    },
    {
      name: '401 with a challenge',
      error: tokenError(401, { error: 'invalid_client' }, challenge),
      reason: 'invalid_client',
    },
    {
      name: '401 with a challenge and another error',
      error: tokenError(401, { error: 'invalid_grant' }, challenge),
      reason: 'invalid_grant',
    },
    { name: '401 with nothing', error: tokenError(401, {}), reason: 'invalid_client' },
    {
      name: '400 unauthorized_client',
      error: tokenError(400, { error: 'unauthorized_client' }),
      reason: 'token_refused',
    },
    { name: '400 with nothing', error: tokenError(400, {}), reason: 'issuer_response_invalid' },
    {
      name: '400 with an error that is no text',
      error: tokenError(400, { error: { a: 1 } }),
      reason: 'issuer_response_invalid',
    },
    {
      name: '500',
      error: tokenError(500, { error: 'invalid_grant' }),
      reason: 'issuer_response_invalid',
    },
    { name: '201', error: tokenError(201, {}), reason: 'issuer_response_invalid' },
    { name: '200 without tokens', error: tokenError(200, {}), reason: 'token_invalid' },
  ])('that answers $name is refused as $reason', async ({ error, reason }) => {
    idp.behave({ tokenError: error });
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({
      stage: reason === 'id_token_missing' ? 'id_token' : 'token',
      reason,
    });
  });

  test('that issues no Bearer token is refused', async () => {
    idp.behave({ tokens: (tokens) => ({ ...tokens, token_type: 'mac' }) });
    expect(await catchFailure(signIn(createClient(), idp))).toMatchObject({
      stage: 'token',
      reason: 'token_invalid',
    });
  });

  test('that quotes the secret back does not get it into the record', async () => {
    const secret = idp.clientSecret;
    idp.behave({
      tokenError: tokenError(401, {
        error: 'invalid_client',
        error_description: `AADSTS7000215: ${secret} is wrong, and so is ${'k'.repeat(40)}`,
      }),
    });
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure.detail).toContain('invalid_client: AADSTS7000215: … is wrong, and so is …');
    expect(failure.detail).not.toContain(secret);
  });

  test('that does not know the secret is refused as invalid_client', async () => {
    idp.behave({});
    const other = { ...idp, clientSecret: 'wrong' };
    const failure = await catchFailure(signIn(createClient(), other));
    expect(failure).toMatchObject({ stage: 'token', reason: 'invalid_client' });
  });
});

describe('userinfo', () => {
  test.for([
    {
      name: 'of another subject',
      userinfo: { sub: 'mallory' },
      reason: 'userinfo_subject_mismatch',
    },
    { name: 'without a subject', userinfo: { email: 'a@example.com' }, reason: 'userinfo_invalid' },
    { name: 'whose subject is no text', userinfo: { sub: 1 }, reason: 'userinfo_invalid' },
    { name: 'that is null', userinfo: null, reason: 'userinfo_invalid' },
  ])('$name is refused', async ({ userinfo, reason }) => {
    idp.behave({ userinfo: () => userinfo });
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({ stage: 'userinfo', reason });
  });

  test.for([
    { status: 401, reason: 'userinfo_refused' },
    { status: 403, reason: 'userinfo_refused' },
    { status: 404, reason: 'issuer_response_invalid' },
    { status: 503, reason: 'issuer_response_invalid' },
  ])('with status $status is refused', async ({ status, reason }) => {
    idp.behave({ userinfoStatus: status });
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({ stage: 'userinfo', reason });
  });

  test('that does not take the access token is refused', async () => {
    idp.behave({ tokens: (tokens) => ({ ...tokens, access_token: 'another' }) });
    const failure = await catchFailure(signIn(createClient(), idp));
    expect(failure).toMatchObject({ stage: 'userinfo', reason: 'userinfo_refused' });
  });

  test('adds its claims to the ID token’s', async () => {
    idp.behave({
      idToken: ({ claims }) => Object.assign(claims, { groups: ['token'], tier: 'gold' }),
      userinfo: (claims) => ({ ...claims, groups: ['userinfo'], iss: 'https://other.example' }),
    });
    const { claims, issuer } = await signIn(createClient(), idp);
    expect(claims).toMatchObject({
      sub: 'alice',
      iss: idp.issuer,
      email: 'alice@example.com',
      email_verified: true,
      groups: ['userinfo'],
      tier: 'gold',
    });
    expect(issuer).toBe(idp.issuer);
  });

  test('is not asked for where discovery names none', async () => {
    idp.behave({ discovery: ({ userinfo_endpoint: _endpoint, ...metadata }) => metadata });
    const before = idp.requests.userinfo;
    const { claims } = await signIn(createClient(), idp);
    expect(claims['sub']).toBe('alice');
    expect(claims).not.toHaveProperty('email');
    expect(idp.requests.userinfo).toBe(before);
  });

  test('may be a signed JWT, whose signature then counts', async () => {
    idp.behave({ userinfoAsJwt: true });
    expect((await signIn(createClient(), idp)).claims).toMatchObject({
      email: 'alice@example.com',
    });
    idp.behave({
      userinfoAsJwt: true,
      discovery: ({ userinfo_signing_alg_values_supported: _announced, ...metadata }) => metadata,
    });
    expect(await catchFailure(signIn(createClient(), idp))).toMatchObject({
      stage: 'userinfo',
      reason: 'userinfo_invalid',
    });
  });
});

describe('all requests of a login together', () => {
  test.each(STAGES)('take no longer than its time: $endpoint', async ({ endpoint, stage }) => {
    const fresh = await startMisbehavingIdp();
    try {
      const registration = registrationAt(fresh);
      const binding = createBinding();
      const url = await createClient().startLogin(registration, { ...binding, scopes: ['openid'] });
      const callbackParameters = await fresh.authorize(url);
      fresh.behave({ faults: { [endpoint]: 'silent' } });
      // One that remembers nothing yet, so that it asks for everything.
      const hurried = createClient({ budgetMs: 1000 });
      const failure = await catchFailure(
        hurried.completeLogin(registration, { ...binding, callbackParameters }),
      );
      expect(failure).toMatchObject({ stage, reason: 'issuer_timeout' });
      expect(failure.detail).toContain('all requests together');
    } finally {
      await fresh.stop();
    }
  });
});

test('a login in which everything is right takes one request to each endpoint', async () => {
  const fresh = await startMisbehavingIdp();
  try {
    const client = createClient();
    await client.startLogin(registrationAt(fresh), {
      redirectUri: 'http://localhost:8080/auth/oidc/callback',
      state: 's',
      nonce: 'n',
      codeVerifier: 'v'.repeat(43),
      scopes: ['openid'],
    });
    await signIn(client, fresh);
    expect(fresh.requests).toEqual({ discovery: 1, jwks: 1, authorize: 1, token: 1, userinfo: 1 });
  } finally {
    await fresh.stop();
  }
});
