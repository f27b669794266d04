// Test logins, from the RPC's use case through the browser's routes to the report: what they tell, and that they can
// neither sign in, nor be used twice, nor by another browser, nor send a secret elsewhere.
import { describe, expect, test } from 'vitest';

import type { Principal } from '../../src/domain/access.ts';
import { getTestLogin, startTestLogin } from '../../src/domain/test-login.ts';
import type { TestLoginReport } from '../../src/domain/test-login-report.ts';
import type { TrialTarget } from '../../src/domain/sso-draft.ts';
import { ALICE } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { Answer, Browser } from './create-browser.ts';
import { startIdp, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

function createAdmin({ organizationId }: LoginHarness): Principal {
  return {
    userId: '019f0000-0000-7000-8000-000000000001',
    organizationId,
    role: 'admin',
    operator: false,
    readOnly: false,
    credential: { kind: 'token', id: '019f0000-0000-7000-8000-0000000000ff' },
  };
}

function draftFor(idp: MisbehavingIdp, given: Partial<NonNullable<TrialTarget['draft']>> = {}) {
  return {
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    emailDomains: ['example.com'],
    additionalScopes: [],
    claims: {},
    claimsExpression: '',
    ...given,
  };
}

async function start(harness: LoginHarness, target?: TrialTarget) {
  const chosen = target ?? { ssoConfigurationId: harness.configuration.id };
  return startTestLogin(harness.env, createAdmin(harness), chosen);
}

/** Follows the URL to the callback. */
async function follow(
  browser: Browser,
  url: string,
): Promise<{ answer: Answer; callback: string }> {
  const started = await browser.open(url);
  const response = await fetch(started.location, { redirect: 'manual' });
  const callback = response.headers.get('location') ?? '';
  return { answer: await browser.open(callback), callback };
}

async function readReport(harness: LoginHarness, id: string): Promise<TestLoginReport> {
  const { progress, report } = await getTestLogin(harness.env, createAdmin(harness), id);
  expect(progress).toBe('over');
  if (report === undefined) throw new Error('no report');
  return report;
}

async function expectNoTrace(harness: LoginHarness, browser: Browser): Promise<void> {
  expect([...browser.cookies.keys()].filter((name) => name.includes('session'))).toEqual([]);
  expect(await harness.listUsers()).toEqual([]);
  expect(await harness.listAttempts()).toEqual([]);
}

describe('a test login', () => {
  test('ends on a page with all that came, and makes neither user nor session', async () => {
    const harness = await startLoginHarness({
      configuration: { claimsExpression: 'claims.email.endsWith("@example.com")' },
    });
    const browser = harness.openBrowser();
    const { id, url } = await start(harness);
    const { answer } = await follow(browser, url);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('This person would be let in');
    expect(answer.body).toContain('alice@example.com');
    expect(answer.body).toContain('email_verified');
    expect(answer.body).toContain('A new member would be made');
    expect(answer.headers['cache-control']).toBe('no-store');
    await expectNoTrace(harness, browser);

    const report = await readReport(harness, id);
    expect(report).toMatchObject({
      wouldAdmit: true,
      stage: 'session',
      maskedEmail: 'a***@example.com',
      verdict: { allowed: true },
    });
    expect(report.claimNames).toContain('email');
    expect(JSON.stringify(report)).not.toContain(ALICE.email);
  });

  test('says why the rule refuses, with the values that it saw', async () => {
    const harness = await startLoginHarness({
      configuration: { claimsExpression: 'claims.email_verified && "admins" in claims.groups' },
    });
    harness.idp.signInAs({ ...ALICE, groups: ['<b>staff</b>'] });
    const browser = harness.openBrowser();
    const { id, url } = await start(harness);
    const { answer } = await follow(browser, url);
    expect(answer.body).toContain('This person would stay out');
    expect(answer.body).toContain('&quot;admins&quot; in claims.groups');
    expect(answer.body).toContain('&lt;b&gt;staff&lt;/b&gt;');
    expect(answer.body).not.toContain('<b>');
    await expectNoTrace(harness, browser);
    expect(await readReport(harness, id)).toMatchObject({
      wouldAdmit: false,
      stage: 'policy',
      reason: 'rule_refused',
      explanation: { causes: [{ expression: '"admins" in claims.groups' }] },
    });
  });

  test('takes claims that nest too deep to be written, as a login does', async () => {
    const harness = await startLoginHarness();
    const deep: unknown = JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`);
    harness.idp.signInAs({ ...ALICE, deep });
    const browser = harness.openBrowser();
    const { url } = await start(harness);
    const { answer } = await follow(browser, url);
    expect(answer.body).toContain('(nested too deep to be shown)');
    await expectNoTrace(harness, browser);
    expect((await harness.signIn(harness.openBrowser())).status).toBe(303);
    expect(await harness.listAttempts()).toMatchObject([{ outcome: 'admitted' }]);
  });

  test('foresees who the person would be', async () => {
    const harness = await startLoginHarness();
    const beforehand = await harness.addUser({ email: ALICE.email });
    const linked = await follow(harness.openBrowser(), (await start(harness)).url);
    expect(linked.answer.body).toContain(`member ${beforehand.id}, whose email they have proved`);
    await harness.signIn(harness.openBrowser());
    const known = await follow(harness.openBrowser(), (await start(harness)).url);
    expect(known.answer.body).toContain(`member ${beforehand.id}, who they have been before`);
    await harness.change((tx) => tx.updateUser({ ...beforehand, status: 'suspended' }));
    const suspended = await follow(harness.openBrowser(), (await start(harness)).url);
    expect(suspended.answer.body).toContain('The user is suspended');
  });

  test('works through an inactive configuration, and says that it is one', async () => {
    const harness = await startLoginHarness({ configuration: { state: 'inactive' } });
    const { answer } = await follow(harness.openBrowser(), (await start(harness)).url);
    expect(answer.body).toContain('The configuration is inactive');
  });

  test('works through the draft of a new configuration', async () => {
    const harness = await startLoginHarness();
    const other = await startIdp();
    other.signInAs({ sub: 'bob', email: 'bob@example.com', email_verified: true });
    const draft = draftFor(other, { clientSecret: other.clientSecret });
    const browser = harness.openBrowser();
    const { id, url } = await start(harness, { organizationId: harness.organizationId, draft });
    const { answer } = await follow(browser, url);
    expect(answer.body).toContain('bob@example.com');
    await expectNoTrace(harness, browser);
    expect(await readReport(harness, id)).toMatchObject({ wouldAdmit: true });
  });

  test('through the draft of a stored configuration tries the new rule with the stored secret', async () => {
    const harness = await startLoginHarness();
    const draft = draftFor(harness.idp, { claimsExpression: 'claims.level > 3' });
    const target = { ssoConfigurationId: harness.configuration.id, draft };
    const { answer } = await follow(harness.openBrowser(), (await start(harness, target)).url);
    expect(answer.body).toContain('no such claim: level');
  });

  test('reports what the identity provider did wrong', async () => {
    const harness = await startLoginHarness();
    harness.idp.behave({ signing: 'by a stranger under the published kid' });
    const { id, url } = await start(harness);
    const { answer } = await follow(harness.openBrowser(), url);
    expect(answer.body).toContain('This person would stay out');
    expect(await readReport(harness, id)).toMatchObject({
      stage: 'id_token',
      reason: 'signature_invalid',
      claimNames: [],
    });
  });

  test('reports an identity provider that is down, without leaving for it', async () => {
    const harness = await startLoginHarness();
    harness.idp.behave({ faults: { discovery: 'status 500' } });
    const { id, url } = await start(harness);
    const answer = await harness.openBrowser().open(url);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('status 500');
    expect(await readReport(harness, id)).toMatchObject({ stage: 'discovery' });
  });
});

describe('the URL of a test login', () => {
  test('works once', async () => {
    const harness = await startLoginHarness();
    const { url } = await start(harness);
    const browser = harness.openBrowser();
    expect((await browser.open(url)).status).toBe(303);
    const again = await browser.open(url);
    expect(again.status).toBe(404);
    expect(again.body).toContain('This test login is over');
  });

  test('is not spent by HEAD', async () => {
    const harness = await startLoginHarness();
    const { url } = await start(harness);
    const browser = harness.openBrowser();
    await browser.open(url, { method: 'HEAD' });
    expect((await browser.open(url)).status).toBe(303);
  });

  test('works for 10 minutes', async () => {
    const harness = await startLoginHarness();
    const { id, url } = await start(harness);
    harness.moveClock(10 * 60_000);
    expect((await harness.openBrowser().open(url)).status).toBe(404);
    const { progress } = await getTestLogin(harness.env, createAdmin(harness), id);
    expect(progress).toBe('expired');
  });

  test('is forgotten with its report after a day', async () => {
    const harness = await startLoginHarness();
    const { id, url } = await start(harness);
    await follow(harness.openBrowser(), url);
    harness.moveClock(25 * 3_600_000);
    await harness.change(async (tx) => {
      await tx.forgetExpired({ ...harness.env, now: harness.env.now(), limit: 100 });
    });
    await expect(getTestLogin(harness.env, createAdmin(harness), id)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test.each(['x', 'A'.repeat(43), `${'A'.repeat(43)}/..`, '%2e%2e'])(
    'is no other: /login/test/%s',
    async (token) => {
      const harness = await startLoginHarness();
      expect((await harness.openBrowser().open(`/login/test/${token}`)).status).toBe(404);
    },
  );
});

describe('the callback of a test login', () => {
  test('counts once', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const { callback } = await follow(browser, (await start(harness)).url);
    const again = await browser.open(callback);
    expect(again.status).toBe(404);
    expect(again.body).not.toContain('alice');
    await expectNoTrace(harness, browser);
  });

  test('shows another browser nothing, and ends', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const { id, url } = await start(harness);
    const started = await browser.open(url);
    const response = await fetch(started.location, { redirect: 'manual' });
    const callback = response.headers.get('location') ?? '';
    const stranger = await harness.openBrowser().open(callback);
    expect(stranger.status).toBe(404);
    expect(stranger.body).not.toContain('alice');
    expect((await browser.open(callback)).status).toBe(404);
    expect(await readReport(harness, id)).toMatchObject({ reason: 'browser_mismatch' });
    expect(harness.idp.requests.token).toBe(0);
  });

  test('at the redirect URI of another organization sends its code nowhere', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const { id, url } = await start(harness);
    const started = await browser.open(url);
    const response = await fetch(started.location, { redirect: 'manual' });
    const callback = new URL(response.headers.get('location') ?? '');
    callback.pathname = callback.pathname.replace(/[^/]+$/, '019f0000-0000-7000-8000-00000000000f');
    await browser.open(callback.href);
    expect(harness.idp.requests.token).toBe(0);
    expect(await readReport(harness, id)).toMatchObject({ reason: 'configuration_mismatch' });
  });

  test('cannot complete a login, nor a login a test', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const started = await browser.open(`/login/${harness.configuration.id}`);
    const response = await fetch(started.location, { redirect: 'manual' });
    const callback = new URL(response.headers.get('location') ?? '');
    const state = callback.searchParams.get('state') ?? '';
    callback.searchParams.set('state', `test.${state}`);
    expect((await browser.open(callback.href)).status).toBe(404);
    await expectNoTrace(harness, browser);

    const test = await browser.open((await start(harness)).url);
    const after = await fetch(test.location, { redirect: 'manual' });
    const testCallback = new URL(after.headers.get('location') ?? '');
    const testState = testCallback.searchParams.get('state') ?? '';
    testCallback.searchParams.set('state', testState.replace('test.', ''));
    expect((await browser.open(testCallback.href)).status).not.toBe(303);
    await expectNoTrace(harness, browser);
  });
});

describe('only its admin', () => {
  test.each([
    ['a member', { role: 'member' }, 'permission_denied'],
    ['a reader', { readOnly: true }, 'permission_denied'],
    ['a stranger', { organizationId: '019f0000-0000-7000-8000-00000000000f' }, 'not_found'],
  ] as const)('can start it: %s cannot', async (_who, given, code) => {
    const harness = await startLoginHarness();
    const caller = { ...createAdmin(harness), ...given };
    const target = { ssoConfigurationId: harness.configuration.id };
    await expect(startTestLogin(harness.env, caller, target)).rejects.toMatchObject({ code });
    const draft = draftFor(harness.idp, { clientSecret: 'x' });
    const another = { organizationId: harness.organizationId, draft };
    await expect(startTestLogin(harness.env, caller, another)).rejects.toMatchObject({ code });
  });

  test('can read its report', async () => {
    const harness = await startLoginHarness();
    const { id } = await start(harness);
    const admin = createAdmin(harness);
    const stranger = { ...admin, organizationId: '019f0000-0000-7000-8000-00000000000f' };
    await expect(getTestLogin(harness.env, stranger, id)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(getTestLogin(harness.env, { ...admin, role: 'member' }, id)).rejects.toMatchObject(
      { code: 'permission_denied' },
    );
  });

  test('can start it 20 times a minute', async () => {
    const harness = await startLoginHarness();
    for (let round = 0; round < 20; round += 1) await start(harness);
    await expect(start(harness)).rejects.toMatchObject({ code: 'resource_exhausted' });
  });
});

describe('a stored secret', () => {
  test('is never used for a draft with another issuer or client id', async () => {
    const harness = await startLoginHarness();
    const attacker = await startIdp({ clientId: harness.idp.clientId });
    for (const draft of [draftFor(attacker), draftFor(harness.idp, { clientId: 'another' })]) {
      const target = { ssoConfigurationId: harness.configuration.id, draft };
      await expect(start(harness, target)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(attacker.requests).toMatchObject({ discovery: 0, token: 0 });
  });

  test('is not sent to the issuer that it had when the test began, once it belongs to another', async () => {
    const harness = await startLoginHarness();
    const { id, url } = await start(harness);
    const browser = harness.openBrowser();
    const started = await browser.open(url);
    const response = await fetch(started.location, { redirect: 'manual' });
    const successor = await startIdp();
    await harness.change((tx) =>
      tx.updateSsoConfiguration(
        { ...harness.configuration, issuerUrl: successor.issuer, revision: 2 },
        'the-new-secret',
      ),
    );
    await browser.open(response.headers.get('location') ?? '');
    expect(harness.idp.requests.token).toBe(0);
    expect(await readReport(harness, id)).toMatchObject({ reason: 'configuration_changed' });
  });
});
