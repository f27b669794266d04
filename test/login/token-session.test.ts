// The exchange of a personal access token for a session, as the console asks for it.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import type { User } from '../../src/domain/organization.ts';
import type { PersonalAccessToken } from '../../src/domain/token.ts';
import { digestToken, generateToken } from '../../src/domain/token.ts';
import type { LoginHttpHeaders } from '../../src/login/routes.ts';
import { makeToken } from '../store/store-fixtures.ts';
import type { Browser } from './create-browser.ts';
import { APP_ORIGIN, PUBLIC_URL, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

const HOUR = 3_600_000;
const OWN: LoginHttpHeaders = { origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin' };

interface Given {
  readonly user?: Partial<User>;
  readonly token?: Partial<PersonalAccessToken>;
}

async function startExchange(given: Given = {}) {
  const harness = await startLoginHarness();
  const user = await harness.addUser({ role: 'admin', ...given.user });
  const token = generateToken(randomBytes);
  const record = makeToken(user.id, {
    expiresAt: new Date(Date.now() + HOUR),
    ...given.token,
  });
  await harness.change((tx) => tx.insertPersonalAccessToken(record, digestToken(token)));
  return { harness, user, token, record };
}

const exchange = (browser: Browser, token: string, headers: LoginHttpHeaders = OWN) =>
  browser.open('/session', {
    method: 'POST',
    headers: { ...headers, cookie: writeCookies(browser), authorization: `Bearer ${token}` },
  });

const writeCookies = ({ cookies }: Browser): string =>
  [...cookies].map((pair) => pair.join('=')).join('; ');

const readSession = async (browser: Browser): Promise<unknown> =>
  JSON.parse((await browser.open('/session')).body);

describe('A token that is traded', () => {
  it.each([
    ['an admin', { user: {} }, { operator: false, readOnly: false }],
    ['an operator', { user: { operator: true } }, { operator: true, readOnly: false }],
    ['one who may only read', { token: { readOnly: true } }, { operator: false, readOnly: true }],
  ] satisfies readonly [string, Given, object][])(
    'is a session of %s, that scripts cannot read',
    async (_name, given, may) => {
      const { harness, user, token, record } = await startExchange(given);
      const browser = harness.openBrowser();
      const answer = await exchange(browser, token);
      expect(answer).toMatchObject({ status: 200, body: '{}' });
      expect(answer.headers['set-cookie']).toMatch(
        /^claimgate-session=cgses_[\w-]{43}; .*HttpOnly/,
      );
      expect(await readSession(browser)).toMatchObject({
        user: { id: user.id },
        kind: 'token',
        expiresAt: record.expiresAt?.toISOString(),
        ...may,
      });
    },
  );

  it('takes its session along when it is deleted', async () => {
    const { harness, token, record } = await startExchange();
    const browser = harness.openBrowser();
    await exchange(browser, token);
    await harness.change((tx) => tx.deletePersonalAccessToken(record.id));
    expect(await readSession(browser)).toMatchObject({ code: 'unauthenticated' });
  });

  it('takes its session along when it expires', async () => {
    const { harness, token } = await startExchange();
    const browser = harness.openBrowser();
    await exchange(browser, token);
    harness.moveClock(HOUR - 1000);
    expect(await readSession(browser)).toMatchObject({ kind: 'token' });
    harness.moveClock(1000);
    expect(await readSession(browser)).toMatchObject({ code: 'unauthenticated' });
  });

  it('ends the session that the browser had', async () => {
    const { harness, user, token } = await startExchange();
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const before = harness.openBrowser();
    for (const [name, value] of browser.cookies) before.cookies.set(name, value);
    expect(await readSession(before)).toMatchObject({ kind: 'sso', operator: false });
    await exchange(browser, token);
    expect(await readSession(browser)).toMatchObject({ kind: 'token', user: { id: user.id } });
    expect(await readSession(before)).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('Who may not trade', () => {
  const origins: readonly (readonly [who: string, headers: LoginHttpHeaders])[] = [
    ['an allowed origin', { origin: APP_ORIGIN, 'sec-fetch-site': 'cross-site' }],
    ['another origin', { origin: 'https://evil.example' }],
    [
      'another origin that lies',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    ],
    ['a sandboxed page', { origin: 'null' }],
    ['no browser', {}],
  ];
  it.each(origins)('is %s', async (_who, headers) => {
    const { harness, token } = await startExchange();
    const browser = harness.openBrowser();
    const answer = await exchange(browser, token, headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'permission_denied' });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  const expectRefused = async (harness: LoginHarness, token: string): Promise<void> => {
    const answer = await exchange(harness.openBrowser(), token);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'unauthenticated' });
    expect(answer.headers['set-cookie']).toBeUndefined();
  };

  it.each([
    ['an expired token', { token: { expiresAt: new Date(0) } }],
    ['somebody suspended', { user: { status: 'suspended' } }],
    ['somebody who has left', { user: { status: 'left' } }],
  ] satisfies readonly [string, Given][])('is %s', async (_who, given) => {
    const { harness, token } = await startExchange(given);
    await expectRefused(harness, token);
  });

  it('is who has no token of ours, or a session in its place', async () => {
    const { harness, token } = await startExchange();
    const browser = harness.openBrowser();
    await exchange(browser, token);
    const session = browser.cookies.get('claimgate-session') ?? '';
    for (const wrong of ['', 'x', `${token}x`, generateToken(randomBytes), session])
      await expectRefused(harness, wrong);
  });
});
