import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LOGIN_LIMITS } from '../../src/domain/login-limits.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { makeOrganization, makeSsoConfiguration } from '../store/store-fixtures.ts';
import type { Answer } from './create-browser.ts';
import { APP_ORIGIN, startIdp, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

const OWN_ORIGIN = 'http://localhost:8080';

function expectSafePage(answer: Answer): void {
  const [, style = ''] = /<style>([^<]*)<\/style>/.exec(answer.body) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = String(answer.headers['content-security-policy']);
  expect(policy).toContain(`style-src 'sha256-${hash}';`);
  expect(policy.split('; ').filter((part) => !/^(?:style-src|form-action)/.test(part))).toEqual([
    "default-src 'none'",
    "img-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  });
  expect(answer.body).toMatch(/^<!doctype html>\s*<html lang="en">/);
  expect(answer.body.match(/<h1>/g)).toHaveLength(1);
  expect(answer.body).toMatch(/<title>[^<]+ – Claimgate<\/title>/);
  const tags = (answer.body.match(/<[^<>]*>/g) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, ''));
  expect(tags.filter((tag) => /^<script|\s(?:on\w+|style)=/i.test(tag))).toEqual([]);
  expect(answer.body).not.toMatch(/(?:href|action)="(?!\/|https?:)/);
}

/** What a parser makes of the page: its tags, without what stands in attributes and between them. */
const readTags = (body: string): readonly string[] =>
  (body.replace(/<style>[^<]*<\/style>/, '').match(/<[^<>]*>/g) ?? []).map(
    (tag) => /^<\/?[a-z0-9!]+/i.exec(tag)?.[0] ?? tag,
  );

describe('pages', () => {
  const pages: readonly { path: string; status: number; method?: string }[] = [
    { path: '/', status: 200 },
    { path: '/signed-in', status: 200 },
    { path: '/login', status: 200 },
    { path: '/login?email=', status: 200 },
    { path: '/login?email=a@nobody.example', status: 404 },
    { path: '/login?email=nonsense', status: 404 },
    { path: `/login?email=${'a'.repeat(5000)}@example.com`, status: 404 },
    { path: '/login?return_to=//evil.example', status: 400 },
    { path: '/login/01234567-89ab-7def-8123-456789abcdef', status: 404 },
    { path: '/login/nonsense', status: 404 },
    { path: '/auth/oidc/callback/01234567-89ab-7def-8123-456789abcdef', status: 400 },
    { path: '/logout', status: 200 },
    { path: '/logout', status: 403, method: 'POST' },
    { path: '/login', status: 405, method: 'POST' },
    { path: '/', status: 405, method: 'DELETE' },
  ];
  it.each(pages)(
    '$method $path is a safe page of status $status',
    async ({ path, status, method }) => {
      const { openBrowser } = await startLoginHarness();
      const answer = await openBrowser().open(path, { ...(method !== undefined && { method }) });
      expect(answer.status).toBe(status);
      expectSafePage(answer);
    },
  );

  it('answer HEAD with the same headers and no body', async () => {
    const { openBrowser } = await startLoginHarness();
    for (const path of ['/', '/login', '/logout', '/session']) {
      const { status, headers } = await openBrowser().open(path);
      expect(await openBrowser().open(path, { method: 'HEAD' })).toMatchObject({
        status,
        headers,
        body: '',
      });
    }
  });

  it('let forms lead to identity providers over https, and over http only in development', async () => {
    const [development, production] = [
      await startLoginHarness(),
      await startLoginHarness({
        env: {
          allowHttpIssuers: false,
          publicUrl: 'https://sso.example.com',
          returnToOrigins: ['https://app.example.net', 'http://intranet.example'],
        },
      }),
    ];
    const read = async ({ openBrowser }: LoginHarness): Promise<string | undefined> => {
      const { headers } = await openBrowser().open('/login');
      return /form-action [^;]*/.exec(String(headers['content-security-policy']))?.[0];
    };
    expect(await read(development)).toBe(`form-action 'self' https: http: ${OWN_ORIGIN}`);
    expect(await read(production)).toBe("form-action 'self' https: http://intranet.example");
  });

  it('with a form that posts let the browser name our origin, others name nobody', async () => {
    const { openBrowser } = await startLoginHarness();
    expect((await openBrowser().open('/logout')).headers['referrer-policy']).toBe('same-origin');
    expect((await openBrowser().open('/login')).headers['referrer-policy']).toBe('no-referrer');
  });

  it('take no HTML from what they are sent', async () => {
    const harness = await startLoginHarness({
      env: { rateLimiter: { consume: async () => ({ allowed: true }) } },
    });
    const browser = harness.openBrowser();
    const nasty = fc.oneof(
      // The character that nothing can have is refused before.
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
      fc.constantFrom(
        '"><script>alert(1)</script>',
        "'><img src=x onerror=1>",
        '</title><svg>',
        '&#x22;',
      ),
    );
    const expected = {
      login: readTags((await browser.open('/login?email=a&return_to=/')).body),
      logout: readTags((await browser.open('/logout?return_to=/')).body),
    };
    await fc.assert(
      fc.asyncProperty(nasty, async (text) => {
        const email = new URLSearchParams({ email: `a${text}`, return_to: `/${text}` });
        const login = await browser.open(`/login?${email}`);
        // Some texts make an address that leads elsewhere: then no form is shown.
        expect([400, 404]).toContain(login.status);
        expectSafePage(login);
        expect(login.status === 400 ? expected.login : readTags(login.body)).toEqual(
          expected.login,
        );
        const logout = await browser.open(
          `/logout?${new URLSearchParams({ return_to: `/${text}` })}`,
        );
        expectSafePage(logout);
        expect(expected.logout).toEqual(expect.arrayContaining([...readTags(logout.body)]));
      }),
      { numRuns: 50 },
    );
  });

  it('take no HTML from the name of a configuration or of a person', async () => {
    const displayName = '"><script>alert(1)</script>';
    const harness = await startLoginHarness({ configuration: { displayName } });
    await harness.addConfiguration(await startIdp(), { displayName: "'</bdi><b onclick=x>" });
    const choice = await harness.openBrowser().open('/login?email=%3Cb%3Ea@example.com');
    expect(choice.status).toBe(200);
    expectSafePage(choice);
    expect(choice.body).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(choice.body).not.toContain('<b>');
    harness.idp.signInAs({
      sub: 'x',
      email: 'x"<i>@example.com',
      email_verified: true,
      name: '<script>alert(1)</script>',
      picture: 'https://img.example/"><script>',
    });
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const home = await browser.open('/');
    expectSafePage(home);
    expect(home.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(home.body).toContain('x&quot;&lt;i&gt;@example.com');
  });
});

describe('/login', () => {
  it('asks for the email and keeps the way back', async () => {
    const { openBrowser } = await startLoginHarness();
    const answer = await openBrowser().open(`/login?return_to=${APP_ORIGIN}/%3Fa=1%26b`);
    expect(answer.body).toMatch(/<input[^>]*type="email"[^>]*autocomplete="email"[^>]*autofocus/);
    expect(answer.body).toContain('<form method="get" action="/login">');
    expect(answer.body).toContain(`name="return_to" value="${APP_ORIGIN}/?a=1&amp;b"`);
  });

  it('goes on under our public name, with email and way back', async () => {
    const harness = await startLoginHarness();
    const query = new URLSearchParams({ email: 'alice@example.com', return_to: APP_ORIGIN });
    const answer = await harness.openBrowser().open(`/login?${query}`);
    const expected = new URLSearchParams({
      email: 'alice@example.com',
      return_to: `${APP_ORIGIN}/`,
    });
    expect(answer).toMatchObject({
      status: 303,
      location: `${OWN_ORIGIN}/login/${harness.configuration.id}?${expected}`,
    });
    // The browser proves itself later: nothing is remembered here.
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('shows a choice among several configurations, of all organizations that proved the domain', async () => {
    const harness = await startLoginHarness();
    const other = await startIdp();
    await harness.addConfiguration(other, { displayName: 'Second way' });
    await harness.addConfiguration(await startIdp(), { displayName: 'Off', state: 'inactive' });
    await harness.addConfiguration(await startIdp(), {
      displayName: 'Elsewhere',
      emailDomains: ['other.example'],
    });
    const stranger = makeOrganization();
    await harness.change(async (tx) => {
      await tx.insertOrganization(stranger);
      const unproved = makeSsoConfiguration(stranger.id, { displayName: 'Unproved' });
      await tx.insertSsoConfiguration(unproved, 'secret');
    });
    const answer = await harness
      .openBrowser()
      .open(`/login?email=alice@example.com&return_to=${APP_ORIGIN}/x`);
    expect(answer.status).toBe(200);
    expectSafePage(answer);
    expect(answer.body.match(/<bdi>[^<]*(?=<\/bdi><\/a>)/g)).toEqual([
      '<bdi>Example SSO',
      '<bdi>Second way',
    ]);
    expect(answer.body).toContain(encodeURIComponent(`${APP_ORIGIN}/x`));
  });

  it('asks again for an email of nobody, which it keeps', async () => {
    const { openBrowser } = await startLoginHarness();
    const answer = await openBrowser().open('/login?email=alice@nobody.example');
    expect(answer.status).toBe(404);
    expect(answer.body).toContain('value="alice@nobody.example"');
    expect(answer.body).toContain('aria-invalid="true"');
    expect(answer.body).toContain('role="alert"');
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'https://good@evil.example',
    'https://app.example.net@evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    'https://app.example.net:444/',
    'https://app.example.net./',
  ])('refuses to lead to %j, and hands it on to nobody', async (returnTo) => {
    const { openBrowser, configuration, idp } = await startLoginHarness();
    const query = new URLSearchParams({ email: 'alice@example.com', return_to: returnTo });
    for (const path of ['/login', `/login/${configuration.id}`]) {
      const answer = await openBrowser().open(`${path}?${query}`);
      expect(answer).toMatchObject({ status: 400, location: '' });
      expect(answer.body).not.toContain('evil.example');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(idp.requests.discovery).toBe(0);
  });

  it('gives the browser a secret of its own, and lets it keep it', async () => {
    const harness = await startLoginHarness();
    const [browser, other] = [harness.openBrowser(), harness.openBrowser()];
    const path = `/login/${harness.configuration.id}`;
    const answer = await browser.open(path);
    expect(answer.headers['set-cookie']).toMatch(
      /^claimgate-login=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    const secret = browser.cookies.get('claimgate-login');
    await browser.open(path);
    expect(browser.cookies.get('claimgate-login')).toBe(secret);
    await other.open(path);
    expect(other.cookies.get('claimgate-login')).not.toBe(secret);
  });

  it('tells of an identity provider that is down, and keeps the way back', async () => {
    const harness = await startLoginHarness();
    harness.idp.behave({ faults: { discovery: 'status 500' } });
    const answer = await harness
      .openBrowser()
      .open(`/login/${harness.configuration.id}?return_to=${APP_ORIGIN}/x`);
    expect(answer.status).toBe(403);
    expectSafePage(answer);
    const [attempt] = await harness.listAttempts();
    expect(attempt).toMatchObject({ outcome: 'refused', stage: 'discovery' });
    expect(answer.body).toContain(attempt?.id);
    expect(answer.body).toContain(encodeURIComponent(`${APP_ORIGIN}/x`));
    expect(answer.body).not.toContain('500');
  });

  it('tells of a database that does not answer', async () => {
    const harness = await startLoginHarness();
    const { openBrowser, env } = harness;
    const browser = openBrowser();
    await harness.signIn(browser);
    env.store.findSessionByDigest = async () => {
      throw new DomainError('unavailable', 'The database does not answer.');
    };
    expect(await browser.open('/')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '60' },
    });
    expect(JSON.parse((await browser.open('/session')).body)).toMatchObject({
      code: 'unavailable',
    });
    const failing = {
      outcome: 'failed',
      code: 'unavailable',
      cause: expect.any(DomainError),
    };
    expect(harness.records).toMatchObject([
      { route: '/auth/oidc/callback/{id}', outcome: 'admitted' },
      { route: '/', ...failing },
      { route: '/session', ...failing },
    ]);
  });

  it('tells of a full disk, and not of too many tries', async () => {
    const { openBrowser, env, configuration, records } = await startLoginHarness();
    env.store.transaction = async () => {
      const cause = new Error('database or disk is full');
      throw new DomainError('resource_exhausted', 'The database has no space left.', { cause });
    };
    const answer = await openBrowser().open(`/login/${configuration.id}`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '60' } });
    expect(answer.body).toContain('cannot save anything');
    expect(answer.body).not.toContain('Too many');
    expect(records).toMatchObject([{ route: '/login/{id}', code: 'resource_exhausted' }]);
  });

  it('leaves what callers bring about out of the log', async () => {
    const { openBrowser, records } = await startLoginHarness();
    const browser = openBrowser();
    for (const path of [
      '/login/01234567-89ab-7def-8123-456789abcdef',
      '/login?return_to=https://evil.example',
      '/login?email=a@nobody.example',
      '/session',
    ]) {
      await browser.open(path);
    }
    expect(records).toEqual([]);
  });
});

describe('text with U+0000', () => {
  it.each([
    '/login?email=a%00@example.com',
    '/login?return_to=%00',
    '/login/018f2d1c-0000-7000-8000-000000000000?email=a%00@example.com',
    '/auth/oidc/callback/018f2d1c-0000-7000-8000-000000000000?state=%00&code=x',
    '/logout?return_to=/%00',
    '/session?%00=1',
  ])('is refused at %s', async (path) => {
    const { openBrowser } = await startLoginHarness();
    const answer = await openBrowser().open(path);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('U+0000');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('limits', () => {
  it('hold for each address, and answer with how long to wait', async () => {
    const { openBrowser, configuration, organizationId } = await startLoginHarness();
    const browser = openBrowser();
    const cases = [
      ['/login?email=a@nobody.example', LOGIN_LIMITS.discoveryByAddress.count, 404],
      [`/login/${configuration.id}`, LOGIN_LIMITS.startByAddress.count, 303],
      [`/auth/oidc/callback/${organizationId}?state=x`, LOGIN_LIMITS.callbackByAddress.count, 400],
    ] as const;
    for (const [path, count, usual] of cases) {
      for (let use = 0; use < count; use += 1) {
        expect((await browser.open(path)).status).toBe(usual);
      }
      const answer = await browser.open(path);
      expect(answer.status).toBe(429);
      expectSafePage(answer);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect((await browser.open(path, { address: '198.51.100.1' })).status).toBe(usual);
    }
    // The question itself costs nothing.
    expect((await browser.open('/login')).status).toBe(200);
  });
});

describe('/logout', () => {
  async function signIn(harness: LoginHarness) {
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const token = browser.cookies.get('claimgate-session') ?? '';
    const isSignedIn = async () => {
      const copy = harness.openBrowser();
      copy.cookies.set('claimgate-session', token);
      return (await copy.open('/session')).status === 200;
    };
    return { browser, isSignedIn };
  }

  it('by POST from our page ends the session here and in the store, and clears both cookies', async () => {
    const { browser, isSignedIn } = await signIn(await startLoginHarness());
    const answer = await browser.open('/logout', {
      method: 'POST',
      headers: { cookie: cookiesOf(browser.cookies), origin: OWN_ORIGIN },
    });
    expect(answer.status).toBe(200);
    expectSafePage(answer);
    expect(answer.body).toContain('signed out');
    expect(browser.cookies.size).toBe(0);
    expect(await isSignedIn()).toBe(false);
  });

  it.each([
    [`${APP_ORIGIN}/bye`, { status: 303, location: `${APP_ORIGIN}/bye` }],
    ['/login', { status: 303, location: `${OWN_ORIGIN}/login` }],
    ['//evil.example', { status: 200, location: '' }],
    ['', { status: 200, location: '' }],
  ])('with return_to %j ends the session, wherever it leads', async (returnTo, expected) => {
    const { browser, isSignedIn } = await signIn(await startLoginHarness());
    const answer = await browser.open('/logout', {
      method: 'POST',
      headers: { cookie: cookiesOf(browser.cookies), origin: APP_ORIGIN },
      form: { return_to: returnTo },
    });
    expect(answer).toMatchObject(expected);
    expect(await isSignedIn()).toBe(false);
  });

  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    {},
  ])('by POST with %j ends nothing', async (headers) => {
    const { browser, isSignedIn } = await signIn(await startLoginHarness());
    const answer = await browser.open('/logout', {
      method: 'POST',
      headers: { cookie: cookiesOf(browser.cookies), ...headers },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await isSignedIn()).toBe(true);
  });

  it('by GET asks, and ends nothing', async () => {
    const { browser, isSignedIn } = await signIn(await startLoginHarness());
    const answer = await browser.open(`/logout?return_to=${APP_ORIGIN}/bye`);
    expect(answer.body).toContain('<form method="post" action="/logout">');
    expect(answer.body).toContain(`value="${APP_ORIGIN}/bye"`);
    expect((await browser.open('/logout?return_to=//evil.example')).body).not.toContain('evil');
    expect(await isSignedIn()).toBe(true);
  });
});

describe('/session', () => {
  it('is nobody without a cookie that holds', async () => {
    const { openBrowser } = await startLoginHarness();
    const browser = openBrowser();
    for (const value of [undefined, 'nonsense', `cgses_${'A'.repeat(43)}`]) {
      if (value !== undefined) browser.cookies.set('claimgate-session', value);
      const answer = await browser.open('/session');
      expect(answer).toMatchObject({
        status: 401,
        headers: {
          vary: 'Cookie',
          'cache-control': 'no-store',
          'content-type': 'application/json',
        },
      });
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('says until when it lasts, and ends idle', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const read = async (): Promise<number> =>
      Date.parse(JSON.parse((await browser.open('/session')).body).expiresAt);
    const { idleMs } = harness.env.sessionLifetime;
    const before = harness.env.now().getTime();
    const expiresAt = await read();
    expect(expiresAt).toBeGreaterThanOrEqual(before + idleMs);
    expect(expiresAt).toBeLessThanOrEqual(harness.env.now().getTime() + idleMs);
    harness.moveClock(idleMs);
    expect((await browser.open('/session')).status).toBe(401);
  });
});

describe('a public URL', () => {
  it('of https gives cookies that only we can set, over TLS alone', async () => {
    const { openBrowser, configuration, organizationId } = await startLoginHarness({
      env: { publicUrl: 'https://sso.example.com' },
    });
    const answer = await openBrowser().open(`/login/${configuration.id}`);
    expect(answer.headers['set-cookie']).toMatch(
      /^__Host-claimgate-login=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(new URL(answer.location).searchParams.get('redirect_uri')).toBe(
      `https://sso.example.com/auth/oidc/callback/${organizationId}`,
    );
  });

  it('of http on another machine lets nobody sign in, and says why', async () => {
    const { openBrowser, configuration } = await startLoginHarness({
      env: { publicUrl: 'http://sso.example.com' },
    });
    for (const path of ['/', '/login', `/login/${configuration.id}`, '/logout']) {
      const answer = await openBrowser().open(path);
      expect(answer.status).toBe(503);
      expect(answer.body).toContain('CLAIMGATE_PUBLIC_URL');
      expectSafePage(answer);
    }
    expect((await openBrowser().open('/session')).headers['content-type']).toBe('application/json');
  });

  it('with a path keeps it in every link', async () => {
    const { openBrowser } = await startLoginHarness({
      env: { publicUrl: 'https://example.com/sso' },
    });
    expect((await openBrowser().open('/login')).body).toContain('action="/sso/login"');
    expect((await openBrowser().open('/')).body).toContain('href="/sso/login"');
    const asked = await openBrowser().open('/login?email=a@example.com');
    expect(asked.location).toMatch(/^https:\/\/example\.com\/sso\/login\//);
  });
});

describe('paths', () => {
  it.each([
    ['/', true],
    ['/signed-in', true],
    ['/login', true],
    ['/login/01234567-89ab-7def-8123-456789abcdef', true],
    ['/auth/oidc/callback', false],
    ['/auth/oidc/callback/01234567-89ab-7def-8123-456789abcdef', true],
    ['/logout', true],
    ['/session', true],
    ['/login/', false],
    ['/login/a/b', false],
    ['/login/%2e%2e', false],
    ['/LOGIN', false],
    ['//login', false],
    ['/constructor', false],
    ['/__proto__', false],
    ['/gitpod.v1.AccountService/GetSSOLoginURL', false],
  ])('%s is ours: %s', async (path, isOurs) => {
    const { routes } = await startLoginHarness();
    expect(routes.match(path) !== undefined).toBe(isOurs);
  });
});

const cookiesOf = (cookies: ReadonlyMap<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
