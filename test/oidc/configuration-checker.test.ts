// The check of a configuration, stage by stage, at an identity provider that misbehaves: what is seen, what is advised,
// and what is never told.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';

import { CHECK_STAGES } from '../../src/domain/configuration-checker.ts';
import type { CheckRequest, CheckStage } from '../../src/domain/configuration-checker.ts';
import { createConfigurationChecker } from '../../src/oidc/configuration-checker.ts';
import { createGuardedFetch } from '../../src/oidc/guarded-fetch.ts';
import type { GuardedFetchOptions } from '../../src/oidc/guarded-fetch.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp, Misbehaviour } from '../support/start-misbehaving-idp.ts';

const CANARY = 'canary-5e1f0c';

async function startIdp(): Promise<MisbehavingIdp> {
  const idp = await startMisbehavingIdp();
  onTestFinished(() => idp.stop());
  return idp;
}

const REQUEST: CheckRequest = {
  issuerUrl: 'http://127.0.0.1:9',
  clientId: 'claimgate',
  clientSecret: 'a secret',
  scopes: ['openid', 'email', 'profile'],
  claims: ['email', 'groups'],
  redirectUri: 'https://sso.example.com/auth/oidc/callback',
  wrongCode: 'deliberately-wrong-code-deliberately-wrong-code',
};

async function check(
  given: Partial<CheckRequest>,
  options: Partial<GuardedFetchOptions> = {},
): Promise<readonly CheckStage[]> {
  const guarded = createGuardedFetch({ allowHttp: true, allowPrivate: true, ...options });
  onTestFinished(() => guarded.close());
  const checker = createConfigurationChecker({ guarded, now: () => new Date() });
  return checker.check({ ...REQUEST, ...given });
}

function checkAt(idp: MisbehavingIdp, given: Partial<CheckRequest> = {}) {
  const { issuer, clientId, clientSecret } = idp;
  return check({ issuerUrl: issuer, clientId, clientSecret, ...given });
}

/** Such as `issuer passed`. */
const summarize = (stages: readonly CheckStage[]): readonly string[] =>
  stages.map(({ name, outcome }) => `${name} ${outcome}`);

function find(stages: readonly CheckStage[], name: string): CheckStage {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined) throw new Error(name);
  return stage;
}

/** What a discovery document says that says everything. */
const announceAll: Misbehaviour['discovery'] = (metadata) => ({
  ...metadata,
  scopes_supported: ['openid', 'email', 'profile', 'offline_access'],
  claims_supported: ['sub', 'email', 'groups'],
});

test('passes where everything is as it should be', async () => {
  const idp = await startIdp();
  idp.behave({ discovery: announceAll });
  const stages = await checkAt(idp);
  expect(summarize(stages)).toEqual([
    'issuer passed',
    'discovery passed',
    'keys passed',
    'pkce passed',
    'scopes passed',
    'claims passed',
    'client_authentication passed',
    'redirect_uri skipped',
  ]);
  expect(find(stages, 'keys').seen).toBe(
    '1 public key for signatures; ID tokens are signed with ES256.',
  );
  expect(find(stages, 'redirect_uri').advice).toContain(
    'https://sso.example.com/auth/oidc/callback',
  );
  expect(idp.requests).toEqual({ discovery: 1, jwks: 1, authorize: 0, token: 1, userinfo: 0 });
});

interface Case {
  readonly what: string;
  readonly behaviour: Misbehaviour;
  readonly stage: string;
  readonly outcome: CheckStage['outcome'];
  readonly seen: string;
  readonly advice: string;
}

const CASES: readonly Case[] = [
  {
    what: 'a status',
    behaviour: { faults: { discovery: 'status 500' } },
    stage: 'issuer',
    outcome: 'failed',
    seen: 'status 500, not 200',
    advice: '/.well-known/openid-configuration',
  },
  {
    what: 'a redirect',
    behaviour: { faults: { discovery: 'redirect' } },
    stage: 'issuer',
    outcome: 'failed',
    seen: 'is a redirect',
    advice: 'as the identity provider writes it',
  },
  {
    what: 'a document that is none',
    behaviour: { faults: { discovery: 'not JSON' } },
    stage: 'issuer',
    outcome: 'failed',
    seen: 'not a JSON object',
    advice: 'discovery document',
  },
  {
    what: 'another issuer',
    behaviour: { discovery: (metadata) => ({ ...metadata, issuer: 'https://idp.example.com/' }) },
    stage: 'discovery',
    outcome: 'failed',
    seen: 'is of issuer https://idp.example.com/',
    advice: 'Set issuer_url to https://idp.example.com/, character for character',
  },
  {
    what: 'an issuer that is no URL',
    behaviour: { discovery: (metadata) => ({ ...metadata, issuer: `text ${CANARY}` }) },
    stage: 'discovery',
    outcome: 'failed',
    seen: 'is of another issuer',
    advice: 'character for character',
  },
  {
    what: 'no token endpoint',
    behaviour: { discovery: (metadata) => ({ ...metadata, token_endpoint: undefined }) },
    stage: 'discovery',
    outcome: 'failed',
    seen: 'It names no token_endpoint',
    advice: 'correct its discovery document',
  },
  {
    what: 'symmetric signatures alone',
    behaviour: {
      discovery: (metadata) => ({
        ...metadata,
        id_token_signing_alg_values_supported: ['HS256', 'none'],
      }),
    },
    stage: 'discovery',
    outcome: 'failed',
    seen: 'no signing algorithm for ID tokens that we accept',
    advice: 'correct its discovery document',
  },
  {
    what: 'no keys',
    behaviour: { jwks: () => ({ keys: [] }) },
    stage: 'keys',
    outcome: 'failed',
    seen: 'has no public key for signatures',
    advice: 'publish its keys',
  },
  {
    what: 'keys that cannot be read',
    behaviour: { faults: { jwks: 'status 500' } },
    stage: 'keys',
    outcome: 'failed',
    seen: 'jwks_uri: The answer has status 500',
    advice: 'publish its keys',
  },
  {
    what: 'no word about PKCE',
    behaviour: {
      discovery: (metadata) => ({ ...metadata, code_challenge_methods_supported: undefined }),
    },
    stage: 'pkce',
    outcome: 'warned',
    seen: 'does not say whether it knows PKCE',
    advice: 'send S256 in any case',
  },
  {
    what: 'PKCE without S256',
    behaviour: {
      discovery: (metadata) => ({ ...metadata, code_challenge_methods_supported: ['plain'] }),
    },
    stage: 'pkce',
    outcome: 'failed',
    seen: 'without S256',
    advice: 'S256 switched on',
  },
  {
    what: 'no list of scopes',
    behaviour: {},
    stage: 'scopes',
    outcome: 'warned',
    seen: 'does not list its scopes',
    advice: 'openid email profile',
  },
  {
    what: 'a scope that it does not offer',
    behaviour: {
      discovery: (metadata) => ({ ...metadata, scopes_supported: ['openid', 'email', CANARY] }),
    },
    stage: 'scopes',
    outcome: 'warned',
    seen: 'Not among the scopes that are listed: profile.',
    advice: 'additional_scopes',
  },
  {
    what: 'a claim that it does not offer',
    behaviour: { discovery: (metadata) => ({ ...metadata, claims_supported: ['email', CANARY] }) },
    stage: 'claims',
    outcome: 'warned',
    seen: 'Not among the claims that are listed: groups.',
    advice: '"groups" usually comes with the scope "groups"',
  },
  {
    what: 'a client that it does not know',
    behaviour: {
      tokenError: {
        status: 401,
        body: { error: 'invalid_client', error_description: `unknown: ${CANARY}` },
      },
    },
    stage: 'client_authentication',
    outcome: 'failed',
    seen: 'does not know the client, or not with this secret',
    advice: 'Compare client_id and client_secret',
  },
  {
    what: 'a client that may not',
    behaviour: {
      tokenError: {
        status: 400,
        body: { error: 'unauthorized_client', error_description: CANARY },
      },
    },
    stage: 'client_authentication',
    outcome: 'warned',
    seen: 'refused with unauthorized_client',
    advice: 'authorization code flow',
  },
  {
    what: 'an error of its own',
    behaviour: { tokenError: { status: 400, body: { error: 'canary_code' } } },
    stage: 'client_authentication',
    outcome: 'warned',
    seen: 'refused with an error of its own',
    advice: 'redirect URI',
  },
  {
    what: 'an answer that is none of OAuth',
    behaviour: { faults: { token: 'not JSON' } },
    stage: 'client_authentication',
    outcome: 'warned',
    seen: 'none that OAuth knows',
    advice: 'test login',
  },
  {
    what: 'tokens for a wrong code',
    behaviour: {
      tokenError: {
        status: 200,
        body: { access_token: CANARY, token_type: 'Bearer', id_token: 'e30.e30.e30' },
      },
    },
    stage: 'client_authentication',
    outcome: 'failed',
    seen: 'took a code that was never issued',
    advice: 'Do not use this identity provider',
  },
  {
    what: 'a token endpoint that hangs up',
    behaviour: { faults: { token: 'hanging up' } },
    stage: 'client_authentication',
    outcome: 'failed',
    seen: 'token_endpoint: ',
    advice: 'reached from the internet',
  },
];

describe('an identity provider with', () => {
  test.each(CASES)('$what is told', async ({ behaviour, stage, outcome, seen, advice }) => {
    const idp = await startIdp();
    idp.behave(behaviour);
    const stages = await checkAt(idp);
    expect(stages.map(({ name }) => name)).toEqual(CHECK_STAGES);
    const found = find(stages, stage);
    expect(found).toMatchObject({ outcome });
    expect(found.seen).toContain(seen);
    expect(found.advice).toContain(advice);
    const report = JSON.stringify(stages);
    expect(report).not.toContain(CANARY);
    expect(report).not.toContain('canary_code');
    expect(report).not.toContain(idp.clientSecret);
  });
});

test('A wrong secret is told from a wrong code', async () => {
  const idp = await startIdp();
  const wrong = find(await checkAt(idp, { clientSecret: CANARY }), 'client_authentication');
  expect(wrong.outcome).toBe('failed');
  const right = find(await checkAt(idp), 'client_authentication');
  expect(right.outcome).toBe('passed');
});

test('Without a secret the client is not tried', async () => {
  const idp = await startIdp();
  const stage = find(await checkAt(idp, { clientSecret: undefined }), 'client_authentication');
  expect(stage.outcome).toBe('skipped');
  expect(idp.requests.token).toBe(0);
});

test('Behind an issuer that fails nothing is looked at, but for our own redirect URI', async () => {
  const idp = await startIdp();
  idp.behave({ faults: { discovery: 'status 500' } });
  expect(summarize(await checkAt(idp))).toEqual([
    'issuer failed',
    'discovery skipped',
    'keys skipped',
    'pkce skipped',
    'scopes skipped',
    'claims skipped',
    'client_authentication skipped',
    'redirect_uri skipped',
  ]);
});

test('Signing in over plain http, other than on this machine, is refused before anybody tries', async () => {
  const stages = await check({ redirectUri: 'http://sso.example.com/auth/oidc/callback' });
  expect(find(stages, 'redirect_uri')).toMatchObject({ outcome: 'failed' });
});

describe('the report is no window into our network', () => {
  test('An address inside is refused alike, whether somebody listens there or not', async () => {
    const server = createServer((socket) => socket.destroy());
    let connections = 0;
    server.on('connection', () => (connections += 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const rules = { allowPrivate: false };
    const open = await check({ issuerUrl: `http://127.0.0.1:${port}` }, rules);
    const closed = await check({ issuerUrl: 'http://127.0.0.1:9/admin' }, rules);
    expect(open).toEqual(closed);
    expect(find(open, 'issuer').seen).toContain('address that is not allowed (loopback)');
    expect(connections).toBe(0);
  });

  test('A discovery document cannot send us there either', async () => {
    const idp = await startIdp();
    const { hostname } = new URL(idp.issuer);
    // This one address counts as public, all others as they are.
    const judge = (address: string) => (address === hostname ? undefined : 'private');
    idp.behave({
      discovery: (metadata) => ({ ...metadata, token_endpoint: 'http://169.254.169.254/latest' }),
    });
    const stages = await check({ issuerUrl: idp.issuer }, { judge });
    expect(find(stages, 'discovery').outcome).toBe('failed');
    expect(find(stages, 'discovery').seen).toContain('token_endpoint');
    expect(find(stages, 'client_authentication').outcome).toBe('skipped');
  });
});

test('all requests of a check together take no longer than its time', async () => {
  const idp = await startIdp();
  idp.behave({ faults: { jwks: 'silent' } });
  const guarded = createGuardedFetch({ allowHttp: true, allowPrivate: true });
  onTestFinished(() => guarded.close());
  const checker = createConfigurationChecker({ guarded, now: () => new Date(), budgetMs: 1000 });
  const { issuer, clientId, clientSecret } = idp;
  const stages = await checker.check({ ...REQUEST, issuerUrl: issuer, clientId, clientSecret });
  expect(find(stages, 'discovery')).toMatchObject({ outcome: 'passed' });
  for (const name of ['keys', 'client_authentication']) {
    expect(find(stages, name)).toMatchObject({
      outcome: 'failed',
      seen: expect.stringContaining('all requests together'),
    });
  }
});
