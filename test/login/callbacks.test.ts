import { describe, expect, it } from 'vitest';

import { DomainError } from '../../src/domain/errors.ts';
import type { LoginFailureReason } from '../../src/domain/login-failure.ts';
import { PENDING_LOGIN_LIFETIME } from '../../src/domain/pending-login.ts';
import { digestSessionToken } from '../../src/domain/session.ts';
import type { Answer, Browser } from './create-browser.ts';
import { startIdp, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

const describeCallback = ({ organizationId }: LoginHarness): string =>
  `/auth/oidc/callback/${organizationId}`;
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/;

interface Callback {
  readonly harness: LoginHarness;
  readonly browser: Browser;
  /** As the identity provider made them; to be spoilt. */
  readonly parameters: URLSearchParams;
}

/** Everything up to the callback, which is not opened. */
async function reachCallback(harness: LoginHarness): Promise<Callback> {
  const browser = harness.openBrowser();
  const started = await browser.open(`/login/${harness.configuration.id}?email=alice@example.com`);
  return { harness, browser, parameters: await harness.idp.authorize(started.location) };
}

const openCallback = ({ browser, harness, parameters }: Callback): Promise<Answer> =>
  browser.open(`${describeCallback(harness)}?${parameters}`);

/** The page holds what a person needs and nothing of what the admin reads; there is no session. */
function expectRefusalPage(answer: Answer, browser: Browser, status: number): string {
  expectUnnamedRefusalPage(answer, browser, status);
  const [id = ''] = UUID.exec(answer.body) ?? [];
  expect(id).not.toBe('');
  return id;
}

/** A refusal of which there is no record that the page could name. */
function expectUnnamedRefusalPage(answer: Answer, browser: Browser, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-type': 'text/html; charset=utf-8',
  });
  expect(answer.body).toContain('Begin again');
  expect([...browser.cookies.keys()]).not.toContain('claimgate-session');
}

/** There is one more attempt, and it is the one that the page names. */
async function expectRecorded(
  harness: LoginHarness,
  id: string,
  answer: Answer,
  reason: LoginFailureReason,
): Promise<void> {
  const [attempt] = await harness.listAttempts();
  expect(attempt).toMatchObject({
    id,
    outcome: 'refused',
    reason,
    organizationId: harness.organizationId,
    ssoConfigurationId: harness.configuration.id,
    address: '192.0.2.7',
  });
  expect(answer.body).not.toContain(reason);
  expect(answer.body).not.toContain(attempt?.detail);
}

describe('a callback', () => {
  it('ends in a session and goes where the person wanted to go', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const returnTo = 'https://app.example.net/inbox?of=me#top';
    const asked = await browser.open(
      `/login?${new URLSearchParams({ email: ' Alice@Example.com ', return_to: returnTo })}`,
    );
    expect(asked.status).toBe(303);
    const started = await browser.open(asked.location);
    expect(started.status).toBe(303);
    expect(new URL(started.location).searchParams.get('login_hint')).toBe('Alice@Example.com');
    const answer = await browser.open(
      `${describeCallback(harness)}?${await harness.idp.authorize(started.location)}`,
    );
    expect(answer).toMatchObject({ status: 303, location: returnTo, body: '' });
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    const session = await browser.open('/session');
    expect(session.status).toBe(200);
    expect(JSON.parse(session.body)).toMatchObject({
      user: { name: 'Alice Example', email: 'alice@example.com', avatarUrl: '', role: 'member' },
      organizationId: harness.organizationId,
    });
    expect(await harness.listAttempts()).toMatchObject([
      { outcome: 'admitted', stage: 'session', reason: undefined, maskedEmail: 'a***@example.com' },
    ]);
  });

  it('ends the session that it replaces, or neither happens', async () => {
    const harness = await startLoginHarness();
    const { store } = harness.env;
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const first = browser.cookies.get('claimgate-session') ?? '';
    const isAlive = async (token: string) =>
      (await store.findSessionByDigest(digestSessionToken(token))) !== undefined;

    const transaction = store.transaction.bind(store);
    store.transaction = (work) =>
      transaction((tx) =>
        work({
          ...tx,
          deleteSession: async () => {
            throw new DomainError('unavailable', 'The database does not answer.');
          },
        }),
      );
    expect(await harness.signIn(browser)).toMatchObject({ status: 503 });
    expect(browser.cookies.get('claimgate-session')).toBe(first);
    expect(await isAlive(first)).toBe(true);
    expect(await harness.listAttempts()).toHaveLength(1);

    store.transaction = transaction;
    expect(await harness.signIn(browser)).toMatchObject({ status: 303 });
    const second = browser.cookies.get('claimgate-session') ?? '';
    expect(second).not.toBe(first);
    expect([await isAlive(first), await isAlive(second)]).toEqual([false, true]);
  });

  it('without return_to goes to a page of ours that says so', async () => {
    const harness = await startLoginHarness();
    expect(await harness.signIn(harness.openBrowser())).toMatchObject({
      status: 303,
      location: 'http://localhost:8080/signed-in',
    });
  });

  describe('that names no login is refused, and no admin is told', () => {
    const spoil: Record<string, (parameters: URLSearchParams) => void> = {
      'state missing': (parameters) => parameters.delete('state'),
      'state empty': (parameters) => parameters.set('state', ''),
      'state twice': (parameters) => parameters.append('state', parameters.get('state') ?? ''),
      'state of nobody': (parameters) => parameters.set('state', 'A'.repeat(43)),
      'state changed': (parameters) => parameters.set('state', `${parameters.get('state')}A`),
      'state enormous': (parameters) => parameters.set('state', 'A'.repeat(10_000)),
    };
    it.each(Object.entries(spoil))('%s', async (_name, change) => {
      const callback = await reachCallback(await startLoginHarness());
      const untouched = new URLSearchParams(callback.parameters);
      change(callback.parameters);
      expectUnnamedRefusalPage(await openCallback(callback), callback.browser, 400);
      expect(await callback.harness.listAttempts()).toEqual([]);
      // It has spent nothing: the real one still works.
      expect(await openCallback({ ...callback, parameters: untouched })).toMatchObject({
        status: 303,
      });
    });
  });

  it('at the redirect URI of another organization is refused, and its code is sent nowhere', async () => {
    const { harness, browser, parameters } = await reachCallback(await startLoginHarness());
    const elsewhere = '/auth/oidc/callback/01234567-89ab-7def-8123-456789abcdef';
    expectRefusalPage(await browser.open(`${elsewhere}?${parameters}`), browser, 400);
    expect(harness.idp.requests.token).toBe(0);
    const [attempt] = await harness.listAttempts();
    expect(attempt).toMatchObject({ stage: 'callback', reason: 'configuration_mismatch' });
    // Nor does it come back from there to the right one.
    const again = `${describeCallback(harness)}?${parameters}`;
    expect((await browser.open(again)).status).not.toBe(303);
    expect(harness.idp.requests.token).toBe(0);
  });

  it.each<[string, string, LoginFailureReason]>([
    ['without a state', '', 'state_missing'],
    ['with a state that nobody knows', '?code=x&state=y&iss=z', 'attempt_unknown'],
    ['with two states', '?code=x&state=y&state=y&iss=z', 'callback_invalid'],
  ])(
    'from a stranger %s is refused, names no attempt and is logged',
    async (_name, query, code) => {
      const harness = await startLoginHarness();
      const browser = harness.openBrowser();
      const answer = await browser.open(`${describeCallback(harness)}${query}`);
      expectUnnamedRefusalPage(answer, browser, 400);
      expect(answer.body).not.toContain('login attempt');
      expect(await harness.listAttempts()).toEqual([]);
      expect(harness.records).toEqual([
        {
          requestId: 'request-of-a-test',
          route: '/auth/oidc/callback/{id}',
          outcome: 'refused',
          code,
          stage: 'callback',
          detail: expect.any(String),
        },
      ]);
    },
  );

  it('that is refused where no attempts are kept names none and is logged', async () => {
    const env = { attemptRetention: { claimsPerConfiguration: 0, maxAgeMs: 0 } };
    const harness = await startLoginHarness({ env });
    const callback = await reachCallback(harness);
    callback.parameters.delete('code');
    expectUnnamedRefusalPage(await openCallback(callback), callback.browser, 400);
    expect(harness.records).toMatchObject([{ code: 'callback_invalid', stage: 'callback' }]);
    expect(JSON.stringify(harness.records)).not.toContain(callback.parameters.get('state'));
  });

  it('that is recorded for the admin is logged by its id, without what the admin reads there', async () => {
    const harness = await startLoginHarness();
    const callback = await reachCallback(harness);
    callback.parameters.delete('code');
    expectRefusalPage(await openCallback(callback), callback.browser, 400);
    const [attempt] = await harness.listAttempts();
    expect(harness.records).toEqual([
      {
        requestId: 'request-of-a-test',
        route: '/auth/oidc/callback/{id}',
        outcome: 'refused',
        code: 'callback_invalid',
        stage: 'callback',
        ssoConfigurationId: attempt?.ssoConfigurationId,
        attemptId: attempt?.id,
      },
    ]);
  });

  it('that is replayed is refused under an id of its own', async () => {
    const callback = await reachCallback(await startLoginHarness());
    expect(await openCallback(callback)).toMatchObject({ status: 303 });
    callback.browser.cookies.delete('claimgate-session');
    const again = await openCallback(callback);
    const id = expectRefusalPage(again, callback.browser, 400);
    await expectRecorded(callback.harness, id, again, 'attempt_replayed');
    expect(callback.harness.idp.requests.token).toBe(1);
  });

  it('that comes twice at once succeeds once', async () => {
    const callback = await reachCallback(await startLoginHarness());
    const answers = await Promise.all([openCallback(callback), openCallback(callback)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400]);
    expect(callback.harness.idp.requests.token).toBe(1);
  });

  it('from another browser is refused, and says nothing of where the first one was going', async () => {
    const harness = await startLoginHarness();
    const first = harness.openBrowser();
    const started = await first.open(
      `/login/${harness.configuration.id}?return_to=https://app.example.net/secret-path`,
    );
    const parameters = await harness.idp.authorize(started.location);
    const browser = harness.openBrowser();
    await browser.open(`/login/${harness.configuration.id}`);
    const answer = await openCallback({ harness, browser, parameters });
    const id = expectRefusalPage(answer, browser, 400);
    await expectRecorded(harness, id, answer, 'browser_mismatch');
    expect(answer.body).not.toContain('secret-path');
    expect(harness.idp.requests.token).toBe(0);
  });

  it.each([
    ['no cookies', (_value: string) => undefined],
    ['the login cookie twice', (value: string) => `${value}; ${value}`],
    [
      'the login cookie twice, once under another value',
      (value: string) => `${value}; claimgate-login=${'A'.repeat(43)}`,
    ],
    ['a longer login cookie', (value: string) => `${value}A`],
    ['a quoted login cookie', (value: string) => value.replace(/=(.*)$/, '="$1"')],
    ['the login cookie under the secure name', (value: string) => `__Host-${value}`],
  ])('with %s is refused', async (_name, change) => {
    const { harness, browser, parameters } = await reachCallback(await startLoginHarness());
    const cookie = change(`claimgate-login=${browser.cookies.get('claimgate-login')}`);
    const url = `${describeCallback(harness)}?${parameters}`;
    const answer = await browser.open(url, { headers: { cookie } });
    const id = expectRefusalPage(answer, browser, 400);
    await expectRecorded(harness, id, answer, 'browser_mismatch');
  });

  it('works in each of several tabs, in any order', async () => {
    const harness = await startLoginHarness();
    const first = await reachCallback(harness);
    const { browser } = first;
    const started = await browser.open(`/login/${harness.configuration.id}`);
    const parameters = await harness.idp.authorize(started.location);
    expect(await openCallback({ harness, browser, parameters })).toMatchObject({ status: 303 });
    expect(await openCallback(first)).toMatchObject({ status: 303 });
  });

  it('of another configuration is refused by its iss', async () => {
    const harness = await startLoginHarness();
    const other = await startIdp();
    const stranger = await harness.addConfiguration(other);
    const browser = harness.openBrowser();
    const started = await browser.open(`/login/${harness.configuration.id}`);
    const elsewhere = await browser.open(`/login/${stranger.id}`);
    const parameters = await other.authorize(elsewhere.location);
    parameters.set('state', new URL(started.location).searchParams.get('state') ?? '');
    const answer = await openCallback({ harness, browser, parameters });
    const id = expectRefusalPage(answer, browser, 400);
    await expectRecorded(harness, id, answer, 'iss_mismatch');
    expect([harness.idp.requests.token, other.requests.token]).toEqual([0, 0]);
  });

  it('of another configuration that names no iss is refused by its code', async () => {
    const silent = {
      discovery: (metadata: Record<string, unknown>) => ({
        ...metadata,
        authorization_response_iss_parameter_supported: false,
      }),
      callback: (parameters: URLSearchParams) => parameters.delete('iss'),
    };
    const harness = await startLoginHarness();
    const other = await startIdp();
    harness.idp.behave(silent);
    other.behave(silent);
    const stranger = await harness.addConfiguration(other);
    const browser = harness.openBrowser();
    const started = await browser.open(`/login/${harness.configuration.id}`);
    const elsewhere = await browser.open(`/login/${stranger.id}`);
    const parameters = await other.authorize(elsewhere.location);
    parameters.set('state', new URL(started.location).searchParams.get('state') ?? '');
    const answer = await openCallback({ harness, browser, parameters });
    const id = expectRefusalPage(answer, browser, 403);
    await expectRecorded(harness, id, answer, 'invalid_grant');
  });

  const spoilt: readonly {
    name: string;
    change: (parameters: URLSearchParams) => void;
    reason: LoginFailureReason;
    status: number;
  }[] = [
    {
      name: 'iss missing although announced',
      change: (parameters) => parameters.delete('iss'),
      reason: 'iss_missing',
      status: 400,
    },
    {
      name: 'iss wrong',
      change: (parameters) => parameters.set('iss', 'https://other.example'),
      reason: 'iss_mismatch',
      status: 400,
    },
    {
      name: 'iss with a slash more',
      change: (parameters) => parameters.set('iss', `${parameters.get('iss')}/`),
      reason: 'iss_mismatch',
      status: 400,
    },
    {
      name: 'code missing',
      change: (parameters) => parameters.delete('code'),
      reason: 'callback_invalid',
      status: 400,
    },
    {
      name: 'code twice',
      change: (parameters) => parameters.append('code', 'x'),
      reason: 'callback_invalid',
      status: 400,
    },
    {
      name: 'code made up',
      change: (parameters) => parameters.set('code', 'x'),
      reason: 'invalid_grant',
      status: 403,
    },
    {
      name: 'the person declined',
      change: (parameters) => {
        parameters.delete('code');
        parameters.set('error', 'access_denied');
        parameters.set('error_description', '<b>no</b>');
      },
      reason: 'access_denied',
      status: 403,
    },
    {
      name: 'an error of the identity provider',
      change: (parameters) => {
        parameters.delete('code');
        parameters.set('error', 'server_error');
      },
      reason: 'idp_error',
      status: 403,
    },
  ];
  it.each(spoilt)('is refused and recorded: $name', async ({ change, reason, status }) => {
    const callback = await reachCallback(await startLoginHarness());
    change(callback.parameters);
    const answer = await openCallback(callback);
    const id = expectRefusalPage(answer, callback.browser, status);
    await expectRecorded(callback.harness, id, answer, reason);
    expect(answer.body).not.toContain('<b>no');
  });

  it('with a code that was used before is refused', async () => {
    const harness = await startLoginHarness();
    const first = await reachCallback(harness);
    expect(await openCallback(first)).toMatchObject({ status: 303 });
    const second = await reachCallback(harness);
    second.parameters.set('code', first.parameters.get('code') ?? '');
    const answer = await openCallback(second);
    const id = expectRefusalPage(answer, second.browser, 403);
    await expectRecorded(harness, id, answer, 'invalid_grant');
  });

  it('after more than 10 minutes is refused, and beginning again keeps the way', async () => {
    const harness = await startLoginHarness();
    const callback = await reachCallback(harness);
    harness.moveClock(PENDING_LOGIN_LIFETIME + 1);
    const answer = await openCallback(callback);
    const id = expectRefusalPage(answer, callback.browser, 400);
    await expectRecorded(harness, id, answer, 'attempt_expired');
  });

  it('that was refused leads back to where the person wanted to go', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const returnTo = 'https://app.example.net/inbox';
    const started = await browser.open(
      `/login/${harness.configuration.id}?${new URLSearchParams({ return_to: returnTo })}`,
    );
    const parameters = await harness.idp.authorize(started.location);
    parameters.set('code', 'x');
    const answer = await openCallback({ harness, browser, parameters });
    expectRefusalPage(answer, browser, 403);
    expect(answer.body).toContain(`href="/login?${new URLSearchParams({ return_to: returnTo })}"`);
  });

  const meanwhile: readonly {
    name: string;
    change: (harness: LoginHarness) => Promise<void>;
    reason: LoginFailureReason;
  }[] = [
    {
      name: 'switched off',
      change: ({ change, configuration }) =>
        change((tx) =>
          tx.updateSsoConfiguration({ ...configuration, state: 'inactive', revision: 2 }),
        ),
      reason: 'configuration_inactive',
    },
    {
      name: 'changed',
      change: ({ change, configuration }) =>
        change((tx) =>
          tx.updateSsoConfiguration({ ...configuration, emailDomains: ['a.com'], revision: 2 }),
        ),
      reason: 'configuration_changed',
    },
  ];

  it.each(meanwhile)(
    'of a configuration that was $name meanwhile is refused',
    async ({ change, reason }) => {
      const callback = await reachCallback(await startLoginHarness());
      await change(callback.harness);
      const answer = await openCallback(callback);
      const id = expectRefusalPage(answer, callback.browser, 400);
      await expectRecorded(callback.harness, id, answer, reason);
      expect(callback.harness.idp.requests.token).toBe(0);
    },
  );

  it.each(meanwhile)(
    'of a configuration that was $name while the identity provider answered is refused',
    async ({ change, reason }) => {
      const { harness, interrupt } = await startInterruptible();
      interrupt(() => change(harness));
      const callback = await reachCallback(harness);
      const answer = await openCallback(callback);
      const id = expectRefusalPage(answer, callback.browser, 400);
      await expectRecorded(harness, id, answer, reason);
      expect(harness.idp.requests.token).toBe(1);
      expect(await harness.listUsers()).toEqual([]);
    },
  );

  it('of a configuration that was deleted meanwhile is refused, and nothing is left of it', async () => {
    const callback = await reachCallback(await startLoginHarness());
    const { harness } = callback;
    await harness.change((tx) => tx.deleteSsoConfiguration(harness.configuration.id));
    const answer = await openCallback(callback);
    expectUnnamedRefusalPage(answer, callback.browser, 400);
    expect(harness.idp.requests.token).toBe(0);
  });

  it.each([
    ['answered', {}],
    ['answered badly', { signing: 'by a stranger under the published kid' }],
  ] as const)(
    'of a configuration that was deleted while the identity provider %s is refused',
    async (_name, misbehaviour) => {
      const { harness, interrupt } = await startInterruptible();
      harness.idp.behave(misbehaviour);
      interrupt(() => harness.change((tx) => tx.deleteSsoConfiguration(harness.configuration.id)));
      const callback = await reachCallback(harness);
      const answer = await openCallback(callback);
      expect(answer.status).toBe(404);
      expect(answer.body).toContain('Begin again');
      expect(callback.browser.cookies.has('claimgate-session')).toBe(false);
      expect(await harness.listUsers()).toEqual([]);
    },
  );

  it('is not begun or spent by HEAD', async () => {
    const callback = await reachCallback(await startLoginHarness());
    const { browser, parameters, harness } = callback;
    const url = `${describeCallback(harness)}?${parameters}`;
    expect(await browser.open(url, { method: 'HEAD' })).toMatchObject({ status: 204, body: '' });
    expect(harness.idp.requests.token).toBe(0);
    expect(await openCallback(callback)).toMatchObject({ status: 303 });
  });

  it('comes by GET alone', async () => {
    const callback = await reachCallback(await startLoginHarness());
    const form = Object.fromEntries(callback.parameters);
    const answer = await callback.browser.open(describeCallback(callback.harness), {
      method: 'POST',
      form,
    });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await openCallback(callback)).toMatchObject({ status: 303 });
  });
});

/** Something happens once, after the identity provider has been asked, before its answer is used. */
async function startInterruptible(): Promise<{
  readonly harness: LoginHarness;
  readonly interrupt: (work: () => Promise<void>) => void;
}> {
  let run: () => Promise<void> = async () => {};
  const harness = await startLoginHarness({
    interfere: (provider) => ({
      startLogin: (registration, request) => provider.startLogin(registration, request),
      async completeLogin(registration, request) {
        try {
          return await provider.completeLogin(registration, request);
        } finally {
          await run();
        }
      },
    }),
  });
  return {
    harness,
    interrupt: (work) => {
      run = work;
    },
  };
}
