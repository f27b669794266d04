import { describe, expect, it } from 'vitest';

import type { LoginFailureReason } from '../../src/domain/login-failure.ts';
import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';
import { makeOrganization, makeUser } from '../store/store-fixtures.ts';
import { ALICE } from '../support/start-misbehaving-idp.ts';
import { startIdp, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';

const { email_verified: _verified, ...ALICE_UNSAID } = ALICE;

async function expectAdmitted(
  harness: LoginHarness,
  claims: Parameters<LoginHarness['idp']['signInAs']>[0],
): Promise<string> {
  harness.idp.signInAs(claims);
  const browser = harness.openBrowser();
  expect(await harness.signIn(browser)).toMatchObject({ status: 303 });
  const session = await browser.open('/session');
  return JSON.parse(session.body).user.id;
}

async function expectRefused(
  harness: LoginHarness,
  claims: Parameters<LoginHarness['idp']['signInAs']>[0],
  reason: LoginFailureReason,
): Promise<void> {
  harness.idp.signInAs(claims);
  const browser = harness.openBrowser();
  const answer = await harness.signIn(browser);
  expect(answer.status).toBe(403);
  expect(browser.cookies.has('claimgate-session')).toBe(false);
  const [attempt] = await harness.listAttempts();
  expect(attempt).toMatchObject({ outcome: 'refused', reason });
  expect(answer.body).toContain(attempt?.id);
  expect(answer.body).not.toContain(reason);
  expect(answer.body).not.toContain(attempt?.detail);
}

describe('a first login', () => {
  it('makes a member who shows among the members', async () => {
    const harness = await startLoginHarness();
    await expectAdmitted(harness, { ...ALICE, picture: 'https://img.example/a.png' });
    expect(await harness.listUsers()).toMatchObject([
      {
        name: 'Alice Example',
        email: 'alice@example.com',
        avatarUrl: 'https://img.example/a.png',
        role: 'member',
        status: 'active',
        operator: false,
        loginProvider: 'Example SSO',
      },
    ]);
  });

  it('that happens twice at once makes one user', async () => {
    const harness = await startLoginHarness();
    const browsers = [harness.openBrowser(), harness.openBrowser()];
    const answers = await Promise.all(browsers.map((browser) => harness.signIn(browser)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(await harness.listUsers()).toHaveLength(1);
  });
});

describe('identity', () => {
  it('is issuer and subject: a new email and name keep the user', async () => {
    const harness = await startLoginHarness();
    const before = await expectAdmitted(harness, ALICE);
    const after = await expectAdmitted(harness, {
      ...ALICE,
      email: 'alice.married@example.com',
      name: 'Alice Other',
    });
    expect(after).toBe(before);
    expect(await harness.listUsers()).toMatchObject([
      { email: 'alice.married@example.com', name: 'Alice Other' },
    ]);
  });

  it('is not the email: another subject with the same email is refused', async () => {
    const harness = await startLoginHarness();
    await expectAdmitted(harness, ALICE);
    await expectRefused(harness, { ...ALICE, sub: 'mallory' }, 'email_taken');
    await expectRefused(
      harness,
      { ...ALICE, sub: 'mallory', email: 'ALICE@EXAMPLE.COM' },
      'email_taken',
    );
    expect(await harness.listUsers()).toHaveLength(1);
  });

  it('is exact: a subject in other letters is another person', async () => {
    const harness = await startLoginHarness();
    const first = await expectAdmitted(harness, ALICE);
    const second = await expectAdmitted(harness, {
      ...ALICE,
      sub: 'Alice',
      email: 'alice2@example.com',
    });
    expect(second).not.toBe(first);
  });

  it('holds within one configuration: the same subject of another one is another person', async () => {
    const harness = await startLoginHarness();
    const first = await expectAdmitted(harness, ALICE);
    const other = await startIdp();
    other.signInAs({ ...ALICE, email: 'other.alice@example.com' });
    const configuration = await harness.addConfiguration(other);
    const browser = harness.openBrowser();
    expect(await harness.signIn(browser, configuration)).toMatchObject({ status: 303 });
    const session = JSON.parse((await browser.open('/session')).body);
    expect(session.user.id).not.toBe(first);
  });
});

describe('an email', () => {
  const refused: readonly {
    name: string;
    claims: Record<string, unknown>;
    reason: LoginFailureReason;
  }[] = [
    {
      name: 'outside the configuration',
      claims: { email: 'a@elsewhere.com' },
      reason: 'email_domain_refused',
    },
    {
      name: 'of a domain below',
      claims: { email: 'a@sub.example.com' },
      reason: 'email_domain_refused',
    },
    {
      name: 'of a domain that ends alike',
      claims: { email: 'a@notexample.com' },
      reason: 'email_domain_refused',
    },
    {
      name: 'of the domain as a part',
      claims: { email: 'a@example.com.evil.org' },
      reason: 'email_domain_refused',
    },
    {
      name: 'with two at signs',
      claims: { email: 'a@evil.org@example.com' },
      reason: 'email_invalid',
    },
    { name: 'without a name', claims: { email: '@example.com' }, reason: 'email_invalid' },
    {
      name: 'that is too long',
      claims: { email: `${'a'.repeat(243)}@example.com` },
      reason: 'email_invalid',
    },
    {
      name: 'that is far too long',
      claims: { email: `${'a'.repeat(20_000)}@example.com` },
      reason: 'email_invalid',
    },
    {
      name: 'with a dot behind the domain',
      claims: { email: 'a@example.com.' },
      reason: 'email_invalid',
    },
    {
      name: 'of a look-alike domain',
      claims: { email: 'a@exаmple.com' },
      reason: 'email_invalid',
    },
    { name: 'that is a list', claims: { email: ['a@example.com'] }, reason: 'email_missing' },
    { name: 'that is absent', claims: { email: undefined }, reason: 'email_missing' },
    { name: 'that is empty', claims: { email: '' }, reason: 'email_missing' },
    {
      name: 'that is not verified',
      claims: { email_verified: false },
      reason: 'email_not_verified',
    },
    {
      name: 'that is not verified, in a word',
      claims: { email_verified: 'false' },
      reason: 'email_not_verified',
    },
    {
      name: 'that is verified by a number',
      claims: { email_verified: 1 },
      reason: 'email_not_verified',
    },
  ];
  it.each(refused)('$name is refused', async ({ claims, reason }) => {
    const harness = await startLoginHarness();
    await expectRefused(harness, { ...ALICE, ...claims }, reason);
    expect(await harness.listUsers()).toEqual([]);
  });

  it.each([
    ['in other letters', { email: 'Alice@EXAMPLE.com' }],
    ['verified in a word', { email_verified: 'true' }],
  ])('%s is accepted', async (_name, claims) => {
    await expectAdmitted(await startLoginHarness(), { ...ALICE, ...claims });
  });

  it('whose verification is not told is accepted only where the domain is proved by DNS', async () => {
    await expectAdmitted(await startLoginHarness(), ALICE_UNSAID);
    await expectRefused(
      await startLoginHarness({ provenDomains: [] }),
      ALICE_UNSAID,
      'email_not_verified',
    );
    await expectRefused(
      await startLoginHarness({ provenDomains: ['other.example'] }),
      ALICE_UNSAID,
      'email_not_verified',
    );
    // Told, it is enough without the proof.
    await expectAdmitted(await startLoginHarness({ provenDomains: [] }), ALICE);
  });

  it('from another claim is not covered by email_verified', async () => {
    const configuration: Partial<SsoConfiguration> = { claims: { email: 'upn' } };
    const claims = { ...ALICE, upn: 'boss@example.com' };
    await expectRefused(
      await startLoginHarness({ provenDomains: [], configuration }),
      claims,
      'email_not_verified',
    );
    const harness = await startLoginHarness({ configuration });
    await expectAdmitted(harness, claims);
    expect(await harness.listUsers()).toMatchObject([{ email: 'boss@example.com' }]);
  });
});

describe('a user who was there before', () => {
  it.each(['admin', 'member'] as const)(
    'is linked by a proven email and stays %s, login after login',
    async (role) => {
      const harness = await startLoginHarness();
      const user = await harness.addUser({ email: 'ALICE@example.com', role });
      expect(await expectAdmitted(harness, ALICE)).toBe(user.id);
      expect(await expectAdmitted(harness, ALICE)).toBe(user.id);
      expect(await harness.listUsers()).toMatchObject([
        { id: user.id, role, loginProvider: 'Example SSO' },
      ]);
    },
  );

  it.each([
    ['says that the email is not verified', { ...ALICE, email_verified: false }, ['example.com']],
    ['does not say, and the domain is not proved', ALICE_UNSAID, []],
  ])('is not linked when the identity provider %s', async (_name, claims, provenDomains) => {
    const harness = await startLoginHarness({ provenDomains });
    const user = await harness.addUser({ email: ALICE.email, role: 'admin' });
    await expectRefused(harness, claims, 'email_not_verified');
    expect(await harness.listUsers()).toEqual([user]);
  });

  it('in another organization is left alone', async () => {
    const harness = await startLoginHarness();
    const elsewhere = makeOrganization();
    const stranger = makeUser(elsewhere.id, { email: ALICE.email, role: 'admin' });
    await harness.change(async (tx) => {
      await tx.insertOrganization(elsewhere);
      await tx.insertUser(stranger);
    });
    expect(await expectAdmitted(harness, ALICE)).not.toBe(stranger.id);
    expect(await harness.env.store.findUser(stranger.id)).toEqual(stranger);
  });

  it('and is an operator is not linked: an identity provider must not reach other organizations', async () => {
    const harness = await startLoginHarness();
    await harness.addUser({ email: ALICE.email, role: 'admin', operator: true });
    await expectRefused(harness, ALICE, 'email_taken');
  });

  it('is not guessed among two with the same email', async () => {
    const harness = await startLoginHarness();
    await harness.addUser({ email: ALICE.email });
    await harness.addUser({ email: ALICE.email });
    await expectRefused(harness, ALICE, 'email_taken');
  });

  it('stays out when suspended, whether known by subject or by email alone', async () => {
    const harness = await startLoginHarness();
    const id = await expectAdmitted(harness, ALICE);
    const [user] = await harness.listUsers();
    if (user === undefined) throw new Error('There is no user.');
    await harness.change((tx) => tx.updateUser({ ...user, status: 'suspended' }));
    await expectRefused(harness, ALICE, 'user_suspended');
    await harness.addUser({ email: 'bob@example.com', status: 'suspended' });
    await expectRefused(
      harness,
      { ...ALICE, sub: 'bob', email: 'bob@example.com' },
      'user_suspended',
    );
    expect(await harness.env.store.findUser(id)).toMatchObject({ status: 'suspended' });
  });

  it('comes back as the member that leaving made of them', async () => {
    const harness = await startLoginHarness();
    const id = await expectAdmitted(harness, ALICE);
    const [user] = await harness.listUsers();
    if (user === undefined) throw new Error('There is no user.');
    await harness.change((tx) => tx.updateUser({ ...user, status: 'left', role: 'member' }));
    expect(await expectAdmitted(harness, ALICE)).toBe(id);
    expect(await harness.listUsers()).toMatchObject([{ status: 'active', role: 'member' }]);
  });
});

describe('the rule', () => {
  const claimsExpression = 'claims.email_verified && claims.email.endsWith("@example.com")';

  it('lets in who meets it, and nobody else', async () => {
    const harness = await startLoginHarness({
      configuration: { claimsExpression, emailDomains: ['example.com', 'example.org'] },
    });
    await expectAdmitted(harness, ALICE);
    await expectRefused(
      harness,
      { ...ALICE, sub: 'mallory', email: 'mallory@example.org' },
      'rule_refused',
    );
    // An absent claim is no false: the rule fails.
    await expectRefused(harness, ALICE_UNSAID, 'rule_failed');
    expect(await harness.listUsers()).toHaveLength(1);
  });
});

describe('a session', () => {
  it('has a new id after every login, and the one before ends', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const first = browser.cookies.get('claimgate-session') ?? '';
    await harness.signIn(browser);
    const second = browser.cookies.get('claimgate-session') ?? '';
    expect(second).not.toBe(first);
    expect(await browser.open('/session')).toMatchObject({ status: 200 });
    browser.cookies.set('claimgate-session', first);
    expect(await browser.open('/session')).toMatchObject({ status: 401 });
  });

  it('that somebody planted before the login is not the one that it opens', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    const planted = `cgses_${'A'.repeat(43)}`;
    browser.cookies.set('claimgate-session', planted);
    await harness.signIn(browser);
    expect(browser.cookies.get('claimgate-session')).not.toBe(planted);
  });

  it('of another person in the same browser ends with the login', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const before = browser.cookies.get('claimgate-session') ?? '';
    harness.idp.signInAs({ ...ALICE, sub: 'bob', email: 'bob@example.com', name: 'Bob' });
    await harness.signIn(browser);
    expect(JSON.parse((await browser.open('/session')).body).user.name).toBe('Bob');
    const thief = harness.openBrowser();
    thief.cookies.set('claimgate-session', before);
    expect(await thief.open('/session')).toMatchObject({ status: 401 });
  });

  it('ends with the suspension of its user', async () => {
    const harness = await startLoginHarness();
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    const [user] = await harness.listUsers();
    if (user === undefined) throw new Error('There is no user.');
    await harness.change((tx) => tx.updateUser({ ...user, status: 'suspended' }));
    expect(await browser.open('/session')).toMatchObject({ status: 401 });
  });

  it('ends with the deletion of its configuration, and outlives its being switched off', async () => {
    const harness = await startLoginHarness();
    const { configuration } = harness;
    const browser = harness.openBrowser();
    await harness.signIn(browser);
    await harness.change((tx) =>
      tx.updateSsoConfiguration({ ...configuration, state: 'inactive', revision: 2 }),
    );
    expect(await browser.open('/session')).toMatchObject({ status: 200 });
    expect(await harness.openBrowser().open(`/login/${configuration.id}`)).toMatchObject({
      status: 404,
    });
    await harness.change((tx) => tx.deleteSsoConfiguration(configuration.id));
    expect(await browser.open('/session')).toMatchObject({ status: 401 });
  });
});
