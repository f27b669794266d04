// Calls with the session cookie of a browser: whose page may make them, which cookie counts, and what ends it.
import { createClient } from '@connectrpc/connect';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { IdentityService, IDTokenVersion } from '../../gen/gitpod/v1/identity_pb.ts';
import { OrganizationService, SSOConfigurationState } from '../../gen/gitpod/v1/organization_pb.ts';
import { UserService } from '../../gen/gitpod/v1/user_pb.ts';
import { digestSessionToken } from '../../src/domain/session.ts';
import { openBackstage } from '../support/open-backstage.ts';
import type { Backstage } from '../support/open-backstage.ts';
import { readRefusal, readRefusals } from '../support/read-refusal.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { addLoginHome, addSession } from './login-home.ts';
import type { LoginHome } from './login-home.ts';
import { describeBearer, WIRES } from './transports.ts';
import type { Wire } from './transports.ts';

const ALLOWED = 'https://app.example.com';
const RETURNING = 'https://return.example.com';
const PUBLIC_URL = 'https://sso.example.com';

/** On plain http, and as behind a proxy that speaks https. */
let plain: StartedClaimgate;
let secure: StartedClaimgate;
let backstage: Backstage;
let secureBackstage: Backstage;
let home: LoginHome;
let secureHome: LoginHome;

beforeAll(async () => {
  const environment = {
    CLAIMGATE_ALLOWED_ORIGINS: ALLOWED,
    CLAIMGATE_RETURN_TO_ORIGINS: RETURNING,
  };
  plain = await startClaimgate(environment);
  secure = await startClaimgate({ ...environment, CLAIMGATE_PUBLIC_URL: PUBLIC_URL });
  [backstage, secureBackstage] = [await openBackstage(plain), await openBackstage(secure)];
  [home, secureHome] = [await addLoginHome(backstage), await addLoginHome(secureBackstage)];
});

afterAll(async () => {
  await backstage.close();
  await secureBackstage.close();
  await plain.stop();
  await secure.stop();
});

type Headers = Readonly<Record<string, string>>;

const [CONNECT] = WIRES;

/** Who the server takes the caller for, or the code of its refusal. */
async function identify(server: StartedClaimgate, headers: Headers, open = CONNECT?.open) {
  if (open === undefined) throw new Error('no wire');
  const users = createClient(UserService, open(server.url, headers));
  const call = users.getAuthenticatedUser({});
  const { code } = await readRefusal(call);
  return code === 'ok' ? (await call).user?.id : code;
}

const describeCookie = (token: string, name = 'claimgate-session'): Headers => ({
  cookie: `${name}=${token}`,
});

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

test('a session of a token counts on our own pages alone, and may what the token may', async () => {
  const opened = await fetch(`${plain.url}/session`, {
    method: 'POST',
    headers: { origin: plain.url, authorization: `Bearer ${plain.token}` },
  });
  expect(opened.status).toBe(200);
  const [cookie = ''] = opened.headers.getSetCookie();
  const [pair = ''] = cookie.split(';');
  const organizationId = home.configuration.organizationId;
  const read = (headers: Headers) => {
    if (CONNECT === undefined) throw new Error('no wire');
    const open = CONNECT.open(plain.url, { cookie: pair, ...headers });
    return readRefusal(createClient(OrganizationService, open).getOrganization({ organizationId }));
  };
  // The home is no organization of the operator.
  expect(await read({ origin: plain.url, ...SAME_ORIGIN })).toMatchObject({ code: 'ok' });
  for (const headers of [{ origin: ALLOWED }, { origin: 'https://evil.example' }, {}])
    expect(await read(headers)).toMatchObject({ code: 'unauthenticated' });
});

describe('the page that makes a browser call', () => {
  const cases: readonly [what: string, headers: (url: string) => Headers, trusted: boolean][] = [
    ['is ours', (url) => ({ origin: new URL(url).origin, ...SAME_ORIGIN }), true],
    [
      'is ours, in a browser without fetch metadata',
      (url) => ({ origin: new URL(url).origin }),
      true,
    ],
    ['is ours, and changes nothing', () => SAME_ORIGIN, true],
    ['is of an allowed origin', () => ({ origin: ALLOWED, 'sec-fetch-site': 'cross-site' }), true],
    [
      'is of an allowed origin beside us',
      () => ({ origin: ALLOWED, 'sec-fetch-site': 'same-site' }),
      true,
    ],
    ['is of another origin', () => ({ origin: 'https://evil.example' }), false],
    [
      'is of another origin that lies',
      () => ({ origin: 'https://evil.example', ...SAME_ORIGIN }),
      false,
    ],
    ['is of an origin to return to alone', () => ({ origin: RETURNING }), false],
    ['is sandboxed', () => ({ origin: 'null' }), false],
    ['is sandboxed and says it is ours', () => ({ origin: 'null', ...SAME_ORIGIN }), false],
    ['is of our host on another port', () => ({ origin: 'http://127.0.0.1:1' }), false],
    [
      'is of our host by another scheme',
      (url) => ({ origin: url.replace('http:', 'https:') }),
      false,
    ],
    [
      'is of an allowed host by another scheme',
      () => ({ origin: 'http://app.example.com' }),
      false,
    ],
    ['is of an allowed host on another port', () => ({ origin: `${ALLOWED}:8443` }), false],
    ['is of a host below an allowed one', () => ({ origin: 'https://a.app.example.com' }), false],
    [
      'is of a host that begins as an allowed one',
      () => ({ origin: `${ALLOWED}.evil.example` }),
      false,
    ],
    ['writes its origin with a slash', () => ({ origin: `${ALLOWED}/` }), false],
    ['names two origins', () => ({ origin: `${ALLOWED} https://evil.example` }), false],
    ['names none', () => ({}), false],
    ['names none, beside us', () => ({ 'sec-fetch-site': 'same-site' }), false],
    ['names none, elsewhere', () => ({ 'sec-fetch-site': 'cross-site' }), false],
    ['is none: the address was typed', () => ({ 'sec-fetch-site': 'none' }), false],
  ];

  describe.each(WIRES)('over $wire', ({ open }: Wire) => {
    test.each(cases)('%s', async (_, describeHeaders, trusted) => {
      const { token } = await addSession(backstage, home, home.member.user);
      const headers = { ...describeHeaders(plain.url), ...describeCookie(token) };
      expect(await identify(plain, headers, open)).toBe(
        trusted ? home.member.user.id : 'unauthenticated',
      );
    });
  });

  test('does not matter to a token, which no browser sends by itself', async () => {
    for (const [, describeHeaders] of cases) {
      const headers = { ...describeHeaders(plain.url), ...describeBearer(home.admin.token) };
      expect(await identify(plain, headers)).toBe(home.admin.user.id);
    }
  });

  test('is ours by the public URL, whatever the Host header says', async () => {
    const { token } = await addSession(secureBackstage, secureHome, secureHome.member.user);
    const cookie = describeCookie(token, '__Host-claimgate-session');
    const evil = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    expect(await identify(secure, { ...cookie, origin: PUBLIC_URL })).toBe(
      secureHome.member.user.id,
    );
    for (const origin of ['https://evil.example', secure.url, 'http://sso.example.com']) {
      expect(await identify(secure, { ...cookie, origin })).toBe('unauthenticated');
    }
    const response = await fetch(`${secure.url}/gitpod.v1.UserService/GetAuthenticatedUser`, {
      method: 'POST',
      headers: {
        ...cookie,
        ...evil,
        origin: 'https://evil.example',
        'content-type': 'application/json',
      },
      body: '{}',
    });
    expect(response.status).toBe(401);
  });

  test('reads the answer only if it is of an allowed origin, and only then with the cookie', async () => {
    const { token } = await addSession(backstage, home, home.member.user);
    const call = (origin: string) =>
      fetch(`${plain.url}/gitpod.v1.UserService/GetAuthenticatedUser`, {
        method: 'POST',
        headers: { ...describeCookie(token), origin, 'content-type': 'application/json' },
        body: '{}',
      });
    const allowed = await call(ALLOWED);
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ALLOWED);
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true');
    const refused = await call('https://evil.example');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refused.text()).not.toContain(home.member.user.id);
  });
});

describe('the cookie', () => {
  const callWith = async (cookie: string, headers: Headers = SAME_ORIGIN) =>
    identify(plain, { ...headers, cookie });

  test('is found among others', async () => {
    const { token } = await addSession(backstage, home, home.member.user);
    const cookie = `a=b; claimgate-session=${token};claimgate-session2=x; xclaimgate-session=y`;
    expect(await callWith(cookie)).toBe(home.member.user.id);
  });

  test.each<[what: string, write: (token: string) => string]>([
    ['comes twice', (token) => `claimgate-session=${token}; claimgate-session=${token}`],
    [
      'comes beside one that was planted',
      (token) => `claimgate-session=x; claimgate-session=${token}`,
    ],
    ['is quoted', (token) => `claimgate-session="${token}"`],
    ['has another name', (token) => `claimgate-login=${token}`],
    ['has its name in other letters', (token) => `Claimgate-Session=${token}`],
    ['has the name of the other scheme', (token) => `__Host-claimgate-session=${token}`],
    ['is cut short', (token) => `claimgate-session=${token.slice(0, -1)}`],
    ['goes on', (token) => `claimgate-session=${token}x`],
    ['is made up', () => `claimgate-session=cgses_${'x'.repeat(43)}`],
    ['is the digest', (token) => describeDigest(token)],
    ['is empty', () => 'claimgate-session='],
  ])('counts for nothing when it %s', async (_, write) => {
    const { token } = await addSession(backstage, home, home.member.user);
    expect(await callWith(write(token))).toBe('unauthenticated');
  });

  function describeDigest(token: string): string {
    return `claimgate-session=cgses_${Buffer.from(digestSessionToken(token)).toString('base64url')}`;
  }

  test('has the name that browsers bind to host and https, where we are reached by https', async () => {
    const { token } = await addSession(secureBackstage, secureHome, secureHome.member.user);
    const bound = describeCookie(token, '__Host-claimgate-session');
    expect(await identify(secure, { ...SAME_ORIGIN, ...bound })).toBe(secureHome.member.user.id);
    expect(await identify(secure, { ...SAME_ORIGIN, ...describeCookie(token) })).toBe(
      'unauthenticated',
    );
  });

  test('gives way to a token, and does not help out for a wrong one', async () => {
    const { token } = await addSession(backstage, home, home.member.user);
    const cookie = { ...SAME_ORIGIN, ...describeCookie(token) };
    expect(await identify(plain, { ...cookie, ...describeBearer(home.admin.token) })).toBe(
      home.admin.user.id,
    );
    for (const authorization of ['Bearer made-up-token-of-this-test', 'Basic eDp5', 'Bearer']) {
      expect(await identify(plain, { ...cookie, authorization })).toBe('unauthenticated');
    }
  });

  test('is no token, and a token is no cookie', async () => {
    const { token } = await addSession(backstage, home, home.member.user);
    expect(await identify(plain, describeBearer(token))).toBe('unauthenticated');
    expect(await callWith(`claimgate-session=${home.member.token}`)).toBe('unauthenticated');
  });
});

describe('a session', () => {
  const HOUR = 60 * 60 * 1000;
  const identifySession = (token: string) =>
    identify(plain, { ...SAME_ORIGIN, ...describeCookie(token) });

  test.each([
    { idleHours: 0, ageHours: 0, holds: true },
    { idleHours: 7.9, ageHours: 8, holds: true },
    { idleHours: 8, ageHours: 8, holds: false },
    { idleHours: 0, ageHours: 23.9, holds: true },
    { idleHours: 0, ageHours: 24, holds: false },
  ])('idle for $idleHours h and $ageHours h old: holds $holds', async (given) => {
    const ago = (hours: number): Date => new Date(Date.now() - hours * HOUR);
    const { token } = await addSession(backstage, home, home.member.user, {
      createdAt: ago(given.ageHours),
      lastUsedAt: ago(given.idleHours),
    });
    expect(await identifySession(token)).toBe(
      given.holds ? home.member.user.id : 'unauthenticated',
    );
  });

  test.each(['suspended', 'left'] as const)('of somebody %s holds no more', async (status) => {
    const { user } = await backstage.addPerson(home.organizationId);
    const { token } = await addSession(backstage, home, user);
    await backstage.store.transaction((tx) => tx.updateUser({ ...user, status }));
    expect(await identifySession(token)).toBe('unauthenticated');
  });

  test('of an operator makes no token: that would be one of an operator', async () => {
    const { user } = await backstage.addPerson(home.organizationId, { operator: true });
    const { token } = await addSession(backstage, home, user);
    const headers = { ...describeCookie(token), origin: plain.url, ...SAME_ORIGIN };
    const open = CONNECT?.open(plain.url, headers);
    if (open === undefined) throw new Error('no wire');
    const users = createClient(UserService, open);
    expect(await readRefusal(users.createPersonalAccessToken({ userId: user.id }))).toMatchObject({
      code: 'permission_denied',
    });
    const others = await addSession(backstage, home, home.member.user);
    const member = CONNECT?.open(plain.url, { ...headers, ...describeCookie(others.token) });
    if (member === undefined) throw new Error('no wire');
    const call = createClient(UserService, member).createPersonalAccessToken({
      userId: home.member.user.id,
    });
    expect(await readRefusal(call)).toMatchObject({ code: 'ok' });
  });

  test('ends with its configuration, and outlives its switching off', async () => {
    const other = await addLoginHome(backstage);
    const { token } = await addSession(backstage, other, other.member.user);
    const open = CONNECT?.open(plain.url, describeBearer(other.admin.token));
    if (open === undefined) throw new Error('no wire');
    const organizations = createClient(OrganizationService, open);
    const ssoConfigurationId = other.configuration.id;
    await organizations.updateSSOConfiguration({
      ssoConfigurationId,
      state: SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
    });
    expect(await identifySession(token)).toBe(other.member.user.id);
    await organizations.deleteSSOConfiguration({ ssoConfigurationId });
    expect(await identifySession(token)).toBe('unauthenticated');
  });

  test('ends when its user leaves', async () => {
    const { user, token: bearer } = await backstage.addPerson(home.organizationId);
    const { token } = await addSession(backstage, home, user);
    const open = CONNECT?.open(plain.url, describeBearer(bearer));
    if (open === undefined) throw new Error('no wire');
    await createClient(OrganizationService, open).leaveOrganization({ userId: user.id });
    expect(await identifySession(token)).toBe('unauthenticated');
    const digest = digestSessionToken(token);
    expect(await backstage.store.findSessionByDigest(digest)).toBeUndefined();
  });

  describe.each(WIRES)('over $wire', ({ open }: Wire) => {
    test('may what its user may, writing included, and no more', async () => {
      const as = async (person: LoginHome['admin']) => {
        const { token } = await addSession(backstage, home, person.user);
        return open(plain.url, { ...describeCookie(token), origin: ALLOWED });
      };
      const [admin, member] = [await as(home.admin), await as(home.member)];
      const { organizationId } = home;
      const changes = { organizationId, name: 'By a page' };
      await createClient(OrganizationService, admin).updateOrganization(changes);
      await createClient(LoginAttemptService, admin).listLoginAttempts({ organizationId });
      for (const refusal of await readRefusals([
        createClient(OrganizationService, member).updateOrganization(changes),
        createClient(LoginAttemptService, member).listLoginAttempts({ organizationId }),
      ])) {
        expect(refusal.code).toBe('permission_denied');
      }
      const elsewhere = { organizationId: plain.organizationId };
      for (const transport of [admin, member]) {
        const call = createClient(OrganizationService, transport).getOrganization(elsewhere);
        expect((await readRefusal(call)).code).toBe('not_found');
      }
    });

    test('gives the backend of a page a signed identity', async () => {
      const { token } = await addSession(backstage, home, home.member.user);
      const transport = open(plain.url, { ...describeCookie(token), origin: ALLOWED });
      const identity = createClient(IdentityService, transport);
      const answer = await identity.getIDToken({
        audience: ['https://app.example.com'],
        version: IDTokenVersion.ID_TOKEN_VERSION_V2,
      });
      expect(decodeJwt(answer.token)).toMatchObject({
        sub: home.member.user.id,
        aud: 'https://app.example.com',
        role: 'member',
      });
    });
  });

  test('is named in no log line', async () => {
    const { token } = await addSession(backstage, home, home.member.user);
    await identifySession(token);
    await identify(plain, describeCookie(token));
    expect(plain.readLog()).toContain(home.member.user.id);
    expect(plain.readLog()).not.toContain(token);
  });
});
