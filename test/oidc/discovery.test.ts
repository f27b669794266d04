import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoginFailureReason } from '../../src/domain/login-failure.ts';
import { buildDiscoveryUrl } from '../../src/oidc/provider-metadata.ts';
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
  readonly change: Record<string, unknown>;
  readonly reason: LoginFailureReason;
}

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'];

const REFUSALS: readonly Refusal[] = [
  { name: 'no issuer', change: { issuer: undefined }, reason: 'discovery_invalid' },
  {
    name: 'another issuer',
    change: { issuer: 'https://other.example' },
    reason: 'issuer_mismatch',
  },
  { name: 'an issuer list', change: { issuer: ['x'] }, reason: 'discovery_invalid' },
  ...ENDPOINTS.filter((name) => name !== 'userinfo_endpoint').map((name): Refusal => ({
    name: `no ${name}`,
    change: { [name]: undefined },
    reason: 'discovery_invalid',
  })),
  ...ENDPOINTS.flatMap((name): Refusal[] => [
    { name: `${name} a number`, change: { [name]: 1 }, reason: 'discovery_invalid' },
    {
      name: `${name} of 3,000 characters`,
      change: { [name]: `https://idp.example/${'x'.repeat(3_000)}` },
      reason: 'discovery_invalid',
    },
    { name: `${name} no URL`, change: { [name]: '/here' }, reason: 'issuer_refused_url' },
    {
      name: `${name} a script`,
      change: { [name]: 'javascript:alert(1)' },
      reason: 'issuer_refused_url',
    },
    {
      name: `${name} the metadata service`,
      change: { [name]: 'https://169.254.169.254/latest' },
      reason: 'issuer_refused_address',
    },
    {
      name: `${name} an address inside another`,
      change: { [name]: 'https://[::ffff:7f00:1]/' },
      reason: 'issuer_refused_address',
    },
  ]),
  {
    name: 'only client authentication by key',
    change: { token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth'] },
    reason: 'client_auth_unsupported',
  },
  {
    name: 'only public clients',
    change: { token_endpoint_auth_methods_supported: ['none'] },
    reason: 'client_auth_unsupported',
  },
];

describe('discovery', () => {
  test.for(REFUSALS)('is refused: $name', async ({ change, reason }) => {
    idp.behave({ discovery: (metadata) => ({ ...metadata, ...change }) });
    const login = createClient().startLogin(registrationAt(idp), {
      ...createBinding(),
      scopes: ['openid'],
    });
    expect(await catchFailure(login)).toMatchObject({ stage: 'discovery', reason });
  });

  test.for(ENDPOINTS)(
    'is refused when %s is on http or on loopback and that is not allowed',
    async (name) => {
      // The name stands for a public one: only what discovery names is judged by the strict rules.
      const strict = createClient({
        allowPrivate: false,
        resolve: publicName(),
        judge: () => undefined,
      });
      const registration = { ...registrationAt(idp), issuerUrl: issuerByName(idp) };
      const byName = (metadata: Record<string, unknown>): Record<string, unknown> =>
        JSON.parse(JSON.stringify(metadata).replaceAll('127.0.0.1', 'idp.example'));
      const request = { ...createBinding(), scopes: ['openid'] };
      idp.behave({ discovery: byName });
      expect(await strict.startLogin(registration, request)).toContain('idp.example');

      const fresh = createClient({
        allowPrivate: false,
        resolve: publicName(),
        judge: () => undefined,
      });
      idp.behave({
        discovery: (metadata) => ({ ...byName(metadata), [name]: `${idp.issuer}/${name}` }),
      });
      const failure = await catchFailure(fresh.startLogin(registration, request));
      expect(failure).toMatchObject({ stage: 'discovery', reason: 'issuer_refused_address' });
      expect(failure.detail).toContain(name);
    },
  );

  test('is refused at an issuer on http, or on loopback, where that is not allowed', async () => {
    idp.behave({});
    const request = { ...createBinding(), scopes: ['openid'] };
    const start = (options: { allowHttp: boolean; allowPrivate: boolean }) =>
      catchFailure(createClient(options).startLogin(registrationAt(idp), request));
    expect(await start({ allowHttp: false, allowPrivate: true })).toMatchObject({
      stage: 'discovery',
      reason: 'issuer_refused_url',
    });
    expect(await start({ allowHttp: true, allowPrivate: false })).toMatchObject({
      stage: 'discovery',
      reason: 'issuer_refused_address',
    });
  });

  test('shows both issuers when they differ by the slash at the end', async () => {
    idp.behave({});
    const registration = { ...registrationAt(idp), issuerUrl: `${idp.issuer}/` };
    const request = { ...createBinding(), scopes: ['openid'] };
    const failure = await catchFailure(createClient().startLogin(registration, request));
    expect(failure).toMatchObject({ stage: 'discovery', reason: 'issuer_mismatch' });
    expect(failure.detail).toContain(`"${idp.issuer}"`);
    expect(failure.detail).toContain(`"${idp.issuer}/"`);
  });

  test.for([
    { issuer: 'https://idp.example', url: 'https://idp.example/.well-known/openid-configuration' },
    { issuer: 'https://idp.example/', url: 'https://idp.example/.well-known/openid-configuration' },
    {
      issuer: 'https://idp.example/t',
      url: 'https://idp.example/t/.well-known/openid-configuration',
    },
    {
      issuer: 'https://idp.example/t/',
      url: 'https://idp.example/t/.well-known/openid-configuration',
    },
  ])('of $issuer is at $url', ({ issuer, url }) => {
    expect(buildDiscoveryUrl(issuer)).toBe(url);
  });

  test('works for an issuer with a path', async () => {
    const tenant = await startMisbehavingIdp({ path: '/tenants/a' });
    try {
      expect(await signIn(createClient(), tenant)).toMatchObject({ issuer: tenant.issuer });
    } finally {
      await tenant.stop();
    }
  });
});

describe('client authentication', () => {
  test.for([
    { announced: undefined, method: 'basic' },
    { announced: ['client_secret_basic'], method: 'basic' },
    { announced: ['client_secret_post'], method: 'post' },
    { announced: ['client_secret_post', 'client_secret_basic'], method: 'basic' },
    { announced: ['private_key_jwt', 'client_secret_post'], method: 'post' },
  ])('is $method when $announced is announced', async ({ announced, method }) => {
    idp.behave({
      discovery: (metadata) => ({ ...metadata, token_endpoint_auth_methods_supported: announced }),
    });
    expect(await signIn(createClient(), idp)).toMatchObject({ subject: 'alice' });
    const { tokenAuthorization, tokenBody } = idp.received;
    expect(tokenAuthorization !== undefined).toBe(method === 'basic');
    expect(tokenBody?.has('client_secret')).toBe(method === 'post');
  });

  test('leaves the characters alone that servers without decoding compare', async () => {
    const plain = await startMisbehavingIdp({ clientId: 'a-b_c.d', clientSecret: 'e-f_g.h' });
    try {
      await signIn(createClient(), plain);
      const credentials = Buffer.from('a-b_c.d:e-f_g.h').toString('base64');
      expect(plain.received.tokenAuthorization).toBe(`Basic ${credentials}`);
    } finally {
      await plain.stop();
    }
  });
});

const publicName = () => async () => [{ address: '127.0.0.1', family: 4 }];
const issuerByName = ({ issuer }: MisbehavingIdp): string =>
  issuer.replace('127.0.0.1', 'idp.example');
