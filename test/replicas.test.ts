// Three processes on one PostgreSQL, as a balancer would use them: each request goes to another one.
import { randomBytes } from 'node:crypto';

import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { MemberService } from '../gen/claimgate/v1/member_pb.ts';
import { rotateSigningKey } from '../src/domain/id-token.ts';
import { LOGIN_LIMITS } from '../src/domain/login-limits.ts';
import { createEs256Signer } from '../src/jwt/es256-signer.ts';
import { parseEncryptionKeys } from '../src/store/keyring.ts';
import { openPostgresStore } from '../src/store/postgres.ts';
import { startPostgresServer } from './store/postgres-server.ts';
import type { PostgresServer } from './store/postgres-server.ts';
import { makeDomainVerification } from './store/store-fixtures.ts';
import { callJson } from './support/call-json.ts';
import type { JsonAnswer } from './support/call-json.ts';
import { openTransport } from './support/create-api.ts';
import { createFetchBrowser } from './support/fetch-browser.ts';
import { startMisbehavingIdp } from './support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from './support/start-misbehaving-idp.ts';
import { startProcess } from './support/start-process.ts';
import type { StartedProcess } from './support/start-process.ts';

const TOKEN = 'operator-token-of-this-test';
const KEYS = `k:${randomBytes(32).toString('base64')}`;
/** Where the balancer would be; nobody is. */
const PUBLIC_URL = 'http://localhost:8080';

let postgres: PostgresServer;
let databaseUrl: string;
let replicas: readonly StartedProcess[] = [];
let idp: MisbehavingIdp;
let organizationId: string;
let ssoConfigurationId: string;

let turn = 0;
/** The next of the three. */
const next = (): string => {
  turn += 1;
  return replicas[turn % replicas.length]?.url ?? '';
};
const call = (rpc: string, body: object, token = TOKEN): Promise<JsonAnswer> =>
  callJson(next(), rpc, body, { token });

beforeAll(async () => {
  postgres = await startPostgresServer();
  databaseUrl = postgres.createUrl(await postgres.createDatabase());
  idp = await startMisbehavingIdp();
  const environment = {
    CLAIMGATE_DATABASE_URL: databaseUrl,
    CLAIMGATE_ENCRYPTION_KEYS: KEYS,
    CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN,
    CLAIMGATE_PUBLIC_URL: PUBLIC_URL,
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  };
  // All at once, on an empty database.
  replicas = await Promise.all(Array.from({ length: 3 }, () => startProcess(environment)));
  const { body } = await call('IdentityService/GetAuthenticatedIdentity', {});
  organizationId = String(body['organizationId']);
  const store = await openPostgresStore({
    url: databaseUrl,
    keyring: parseEncryptionKeys(KEYS),
  });
  const proof = makeDomainVerification(organizationId, { state: 'verified' });
  await store.transaction((tx) => tx.insertDomainVerification(proof));
  await store.close();
  const created = await call('OrganizationService/CreateSSOConfiguration', {
    organizationId,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    issuerUrl: idp.issuer,
    emailDomains: ['example.com'],
  });
  ssoConfigurationId = String((created.body['ssoConfiguration'] as { id?: string }).id);
}, 60_000);
beforeEach(async () => {
  const database = new URL(databaseUrl).pathname.slice(1);
  await postgres.run('delete from rate_limit', database);
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
  await idp.stop();
  await postgres.dispose();
});

/** A whole login, each of its requests sent to another one. @returns the last answer's status */
async function signIn(browser: ReturnType<typeof createFetchBrowser>): Promise<number> {
  const begun = await browser.open(next(), `/login/${ssoConfigurationId}`);
  const callback = await authorize(begun.headers.get('location') ?? '');
  return (await browser.open(next(), callback)).status;
}

const callMembers = (): Client<typeof MemberService> =>
  createClient(MemberService, openTransport(next(), `Bearer ${TOKEN}`, 'connect'));

/** Through the identity provider and back: the callback's path. */
async function authorize(location: string): Promise<string> {
  const response = await fetch(location, { redirect: 'manual' });
  const callback = new URL(response.headers.get('location') ?? '');
  expect(callback.origin).toBe(PUBLIC_URL);
  return callback.pathname + callback.search;
}

describe('replicas', () => {
  test('that start together on an empty database make one organization and one operator', async () => {
    const database = new URL(databaseUrl).pathname.slice(1);
    expect(await postgres.run('select name from organization', database)).toHaveLength(1);
    expect(await postgres.run('select name from user_account', database)).toHaveLength(1);
  });

  test('share a login: asked for, begun, called back, used and ended at another one each time', async () => {
    const browser = createFetchBrowser();
    const asked = await browser.open(next(), '/login?email=alice%40example.com');
    const login = new URL(asked.headers.get('location') ?? '');
    const begun = await browser.open(next(), login.pathname + login.search);
    const callback = await authorize(begun.headers.get('location') ?? '');
    const finished = await browser.open(next(), callback);
    expect(finished.status).toBe(303);
    for (const _ of replicas) {
      const session = await browser.open(next(), '/session');
      expect(await session.json()).toMatchObject({ user: { email: 'alice@example.com' } });
    }
    const replayed = await browser.open(next(), callback);
    expect(replayed.status).toBeGreaterThanOrEqual(400);
    const ended = await browser.open(next(), '/logout', {
      method: 'POST',
      headers: { origin: PUBLIC_URL },
    });
    expect(ended.status).toBe(200);
  });

  test('know at once of a session that was ended at another one', async () => {
    const browser = createFetchBrowser();
    const begun = await browser.open(next(), `/login/${ssoConfigurationId}`);
    await browser.open(next(), await authorize(begun.headers.get('location') ?? ''));
    // The cookie stays in this one, and is worth nothing.
    const other = createFetchBrowser();
    const headers = { cookie: browser.describeCookies(), origin: PUBLIC_URL };
    expect((await other.open(next(), '/session', { headers })).status).toBe(200);
    await other.open(next(), '/logout', { method: 'POST', headers });
    for (const _ of replicas) {
      expect((await browser.open(next(), '/session')).status).toBe(401);
    }
  });

  test('know at once of a token that was revoked at another one', async () => {
    const me = await call('UserService/GetAuthenticatedUser', {});
    const userId = String((me.body['user'] as { id?: string }).id);
    const made = await call('UserService/CreatePersonalAccessToken', {
      userId,
      description: 'to be revoked',
    });
    const token = String(made.body['token']);
    for (const _ of replicas) {
      const answer = await call('IdentityService/GetAuthenticatedIdentity', {}, token);
      expect(answer.status).toBe(200);
    }
    const listed = await call('UserService/ListPersonalAccessTokens', {
      filter: { userIds: [userId] },
    });
    const tokens = listed.body['personalAccessTokens'] as { id: string; description: string }[];
    const revoked = tokens.find(({ description }) => description === 'to be revoked');
    await call('UserService/DeletePersonalAccessToken', { personalAccessTokenId: revoked?.id });
    for (const _ of replicas) {
      const answer = await call('IdentityService/GetAuthenticatedIdentity', {}, token);
      expect(answer.status).toBe(401);
    }
  });

  test('keep out at once whom another one has suspended, and let in again whom it has reinstated', async () => {
    const browser = createFetchBrowser();
    expect(await signIn(browser)).toBe(303);
    const session = await (await browser.open(next(), '/session')).json();
    const userId = String(session.user.id);
    await callMembers().suspendMember({ userId });
    for (const _ of replicas) {
      expect((await browser.open(next(), '/session')).status).toBe(401);
      expect(await signIn(createFetchBrowser())).toBe(403);
    }
    await callMembers().reinstateMember({ userId });
    for (const _ of replicas) expect(await signIn(createFetchBrowser())).toBe(303);
  });

  test('judge by a rule as soon as another one has changed it', async () => {
    const setRule = (claimsExpression: string): Promise<JsonAnswer> =>
      call('OrganizationService/UpdateSSOConfiguration', { ssoConfigurationId, claimsExpression });
    for (const [rule, status] of [
      ['claims.email == "somebody.else@example.com"', 403],
      ['claims.email == "alice@example.com"', 303],
      ['', 303],
    ] as const) {
      await setRule(rule);
      for (const _ of replicas) expect(await signIn(createFetchBrowser())).toBe(status);
    }
  });

  test('refuse a login whose configuration another one has switched off on its way', async () => {
    const browser = createFetchBrowser();
    const begun = await browser.open(next(), `/login/${ssoConfigurationId}`);
    const callback = await authorize(begun.headers.get('location') ?? '');
    const setState = (state: string): Promise<JsonAnswer> =>
      call('OrganizationService/UpdateSSOConfiguration', { ssoConfigurationId, state });
    await setState('SSO_CONFIGURATION_STATE_INACTIVE');
    expect((await browser.open(next(), callback)).status).toBeGreaterThanOrEqual(400);
    for (const _ of replicas) {
      const refused = await createFetchBrowser().open(next(), `/login/${ssoConfigurationId}`);
      expect(refused.status).toBeGreaterThanOrEqual(400);
    }
    await setState('SSO_CONFIGURATION_STATE_ACTIVE');
  });

  test('count a limit together', async () => {
    const { count } = LOGIN_LIMITS.discoveryByAddress;
    const statuses: number[] = [];
    for (let use = 0; use < count + replicas.length; use += 1) {
      const answer = await createFetchBrowser().open(next(), '/login?email=nobody%40example.org');
      statuses.push(answer.status);
    }
    expect(statuses.filter((status) => status === 404)).toHaveLength(count);
    expect(statuses.slice(count)).toEqual(replicas.map(() => 429));
  });

  test('see one another’s changes at once', async () => {
    for (let change = 1; change <= 6; change += 1) {
      const displayName = `change ${change}`;
      await call('OrganizationService/UpdateSSOConfiguration', { ssoConfigurationId, displayName });
      const { body } = await call('OrganizationService/GetSSOConfiguration', {
        ssoConfigurationId,
      });
      expect(body['ssoConfiguration']).toMatchObject({ displayName });
    }
  });

  test('sign with one key, also when each of them is asked for the first time at once', async () => {
    const tokens = await Promise.all(
      replicas.map(() => call('IdentityService/GetIDToken', { audience: ['https://a.example'] })),
    );
    for (const { body } of tokens) {
      const response = await fetch(`${next()}/.well-known/jwks.json`);
      const keys = createLocalJWKSet(await response.json());
      const { payload } = await jwtVerify(String(body['token']), keys);
      expect(payload).toMatchObject({ iss: PUBLIC_URL });
    }
    const database = new URL(databaseUrl).pathname.slice(1);
    expect(await postgres.run('select id from signing_key', database)).toHaveLength(1);
  });

  test('publish at once a key that was made elsewhere, and sign on by the one that verifiers know', async () => {
    const store = await openPostgresStore({
      url: databaseUrl,
      keyring: parseEncryptionKeys(KEYS),
    });
    const [known] = await store.listPublicKeys();
    const env = { store, signer: createEs256Signer(), now: () => new Date(), newId };
    const made = await rotateSigningKey(env, known);
    await store.close();
    for (const _ of replicas) {
      const { keys } = await (await fetch(`${next()}/.well-known/jwks.json`)).json();
      expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual([made.id, known?.id]);
      const { body } = await call('IdentityService/GetIDToken', {
        audience: ['https://a.example'],
      });
      expect(decodeProtectedHeader(String(body['token']))).toMatchObject({ kid: known?.id });
    }
  });
});
