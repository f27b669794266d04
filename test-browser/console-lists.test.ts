import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { OrganizationRole } from '../gen/gitpod/v1/organization_pb.ts';
import { UserStatus } from '../gen/gitpod/v1/user_pb.ts';
import { createClaimgateClient } from '../src/client/node.ts';
import { addAttempt, addLoginHome } from '../test/rpc/login-home.ts';
import { openBackstage } from '../test/support/open-backstage.ts';
import { findBarriers, sticksOut } from './check-accessibility.ts';
import { launchChromium } from './launch-chromium.ts';
import { signInAs } from './sign-in-as.ts';
import { openConsole, startConsole, storeConfiguration } from './start-console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

const seePage = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const seeHeading = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { name, exact: true }).waitFor();
const press = (at: Page | Locator, name: string): Promise<void> =>
  at.getByRole('button', { name, exact: true }).click();
/** What a list holds under this name. */
const cardOf = (tab: Page, name: string): Locator =>
  tab
    .getByRole('listitem')
    .filter({ has: tab.getByRole('heading', { level: 2, name, exact: true }) });
const seeFocus = (tab: Page, text: string): Promise<void> =>
  tab.locator(':focus', { hasText: text }).waitFor();

async function expectNoBarriers(tab: Page): Promise<void> {
  expect(await findBarriers(tab)).toEqual([]);
  expect(await sticksOut(tab)).toBe(false);
}

describe('Domains', () => {
  test('are added, looked for in DNS with advice while the record is missing, and deleted', async () => {
    const started = await startConsole();
    const { person, tab } = await openConsole(browser, started, '/domains');
    await seeHeading(tab, 'No domain yet');
    expect(await tab.title()).toBe('Domains – Claimgate');
    await expectNoBarriers(tab);

    const field = tab.getByLabel('Email domain');
    await field.fill('no domain');
    await press(tab, 'Add');
    await tab.getByText('is not a domain name such as example.com').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('Example.com');
    await press(tab, 'Add');
    await tab.getByText('Example.com was added.').waitFor();
    const card = cardOf(tab, 'Example.com');
    expect(await card.getByText('Not verified yet').count()).toBe(1);
    expect(await card.getByText('_claimgate-challenge.example.com', { exact: true }).count()).toBe(
      1,
    );
    await field.fill('example.com');
    await press(tab, 'Add');
    await tab.getByRole('alert').waitFor();
    expect(await tab.getByRole('alert').innerText()).toContain('The domain was not added');
    await tab.reload();

    await press(tab, 'Look for the record');
    await seeHeading(tab, 'The record is not there yet');
    expect(await tab.getByRole('alert').innerText()).toContain('it has no TXT record');
    await expectNoBarriers(tab);
    const value = await card.getByText(/^claimgate-verification=/).innerText();
    started.dns.setTxt('_claimgate-challenge.example.com', [value]);
    await press(tab, 'Look for the record');
    await tab.getByText('Example.com is verified.').waitFor();
    expect(await card.getByText('Verified', { exact: true }).count()).toBe(1);
    await seeFocus(tab, 'Domains');
    await expectNoBarriers(tab);

    await tab.getByRole('button', { name: 'Delete Example.com…' }).focus();
    await tab.keyboard.press('Enter');
    await seeHeading(tab, 'Delete Example.com?');
    expect(await findBarriers(tab)).toEqual([]);
    await tab.keyboard.press('Escape');
    await tab.getByRole('alertdialog').waitFor({ state: 'detached' });
    await seeFocus(tab, 'Delete…');
    await press(tab, 'Delete Example.com…');
    await press(tab, 'Delete');
    await seeHeading(tab, 'No domain yet');
    expect(person.complaints).toEqual([]);
  });

  test('say that DNS did not answer, which is no fault of the record', async () => {
    const started = await startConsole();
    const { client, organizationId, dns } = started;
    await client.organizations.createDomainVerification({ organizationId, domain: 'example.com' });
    const { tab } = await openConsole(browser, started, '/domains');
    dns.setSilent(true);
    await press(tab, 'Look for the record');
    await tab.getByText('Asking DNS.').waitFor();
    await seeHeading(tab, 'It could not be looked for');
    expect(await tab.getByRole('alert').innerText()).toContain('try again');
  });
});

describe('Login attempts', () => {
  test('tell why, are filtered by the address, and are found by the id that a person was shown', async () => {
    const started = await startConsole();
    const { url, client, organizationId } = started;
    const { person, tab } = await openConsole(browser, started, '/attempts');
    await seeHeading(tab, 'Nobody has tried to sign in yet');
    await expectNoBarriers(tab);

    const id = await storeConfiguration(started, { claimsExpression: 'claims.email_verified' });
    await signInAs({ url, ssoConfigurationId: id, name: 'alice' });
    await signInAs({ url, ssoConfigurationId: id, name: 'mallory' });
    await press(tab, 'Refresh');
    await seeHeading(tab, 'a***@example.com');
    await seeHeading(tab, 'm***@example.com');
    await tab.getByText('claims.email_verified is false').waitFor();
    await tab.getByText('Why, and what to do').click();
    await tab.getByRole('article').first().getByText('rule_refused').waitFor();
    await expectNoBarriers(tab);

    await tab.getByLabel('How they ended').selectOption({ label: 'Let in' });
    await tab.waitForURL(`${url}/attempts?outcome=admitted`);
    await tab.getByRole('heading', { name: 'm***@example.com' }).waitFor({ state: 'detached' });
    await seeHeading(tab, 'a***@example.com');
    expect(await tab.getByRole('article').count()).toBe(1);
    await tab.getByLabel('Configuration').selectOption({ label: 'Example SSO' });
    await tab.waitForURL(`${url}/attempts?outcome=admitted&configuration=${id}`);
    await tab.reload();
    await seeHeading(tab, 'a***@example.com');
    await tab.goto(`${url}/attempts?configuration=${organizationId}`);
    await seeHeading(tab, 'No attempt is like this');
    await press(tab, 'Show all');
    await seeHeading(tab, 'm***@example.com');

    const { loginAttempts } = await client.loginAttempts.listLoginAttempts({ organizationId });
    const refused = loginAttempts.find(({ reason }) => reason === 'rule_refused')?.id ?? '';
    const find = tab.getByLabel('Email or attempt id');
    await find.fill('what is no id');
    await press(tab, 'Find');
    await tab.getByText('A whole email such as').waitFor();
    await find.fill('Alan@example.com');
    await press(tab, 'Find');
    await tab.getByText('Emails are kept masked').waitFor();
    await tab.getByRole('heading', { name: 'm***@example.com' }).waitFor({ state: 'detached' });
    await seeHeading(tab, 'a***@example.com');
    expect(await find.inputValue()).toBe('Alan@example.com');
    await expectNoBarriers(tab);
    await press(tab, 'Show all');
    await seeHeading(tab, 'm***@example.com');
    await find.fill(` ${refused.toUpperCase()} `);
    await press(tab, 'Find');
    await seePage(tab, 'Login attempt');
    await seeHeading(tab, 'm***@example.com');
    await seeHeading(tab, 'What the identity provider said');
    await tab.getByText('"email": "mallory@example.com"').waitFor();
    await expectNoBarriers(tab);
    await tab.getByRole('link', { name: 'Try a rule on these claims' }).click();
    await seePage(tab, 'Rule: who gets in');
    await tab.getByText('These came in a real login attempt').waitFor();
    await tab.goto(`${url}/attempts/${refused.toUpperCase()}`);
    await seeHeading(tab, 'm***@example.com');
    await tab.goto(`${url}/attempts/no-id`);
    await seeHeading(tab, 'There is no such attempt');
    await tab.goto(`${url}/attempts/${id}`);
    await seeHeading(tab, 'There is no such attempt');
    await expectNoBarriers(tab);
    expect(person.complaints).toEqual([]);
  });
});

describe('A login attempt', () => {
  test('shows claims as text, whatever they hold, and says where there are none', async () => {
    const started = await startConsole();
    const { url, organizationId, folder } = started;
    const id = await storeConfiguration(started, { claimsExpression: 'false' });
    const backstage = await openBackstage({ folder });
    onTestFinished(() => backstage.close());
    const configuration = { id, organizationId };
    const html = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const hostile = await addAttempt(backstage, configuration, {}, { sub: html, [html]: [html] });
    const bare = await addAttempt(backstage, configuration, { stage: 'token' });
    const foreign = await addLoginHome(backstage);
    const theirs = await addAttempt(backstage, foreign.configuration, {}, { sub: 'x' });

    const { person, tab } = await openConsole(browser, started, `/attempts/${hostile.id}`);
    await tab.getByText('onerror').first().waitFor();
    expect(await tab.locator('main img, main script').count()).toBe(0);
    await expectNoBarriers(tab);
    await tab.goto(`${url}/configurations/${id}/rule?attempt=${hostile.id}`);
    await tab.getByText('These came in a real login attempt').waitFor();
    expect(await tab.locator('main img, main script').count()).toBe(0);

    await tab.goto(`${url}/attempts/${bare.id}`);
    await tab.getByText('No claims came').waitFor();
    await expectNoBarriers(tab);
    await tab.goto(`${url}/configurations/${id}/rule?attempt=${bare.id}`);
    await tab.getByText('The sample claims below are an example.').waitFor();

    await tab.goto(`${url}/attempts/${theirs.id}`);
    await seeHeading(tab, 'It is of another organization');
    await expectNoBarriers(tab);
    await press(tab, 'Open it there');
    await tab.waitForURL(`${url}/organizations/${foreign.organizationId}/attempts/${theirs.id}`);
    await seeHeading(tab, 'What the identity provider said');
    expect(person.complaints).toEqual([]);
  });
});

describe('Members', () => {
  test('are searched, given a role, made beforehand, kept out, let in again and removed', async () => {
    const started = await startConsole();
    const { client, organizationId } = started;
    const { person, tab } = await openConsole(browser, started, '/members');
    const own = cardOf(tab, 'Operator');
    await own.getByText('You', { exact: true }).waitFor();
    expect(await own.getByRole('button').count()).toBe(0);
    await expectNoBarriers(tab);

    await press(tab, 'Add a member');
    await seeHeading(tab, 'Add a member');
    expect(await findBarriers(tab)).toEqual([]);
    await tab.getByLabel('Email').fill('carol@nowhere');
    await tab.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await tab.getByText('must be an email address such as').waitFor();
    await tab.getByLabel('Email').fill('carol@example.com');
    await tab.getByLabel('Name').fill('Carol Example');
    await tab.getByLabel('Role').selectOption({ label: 'Admin' });
    await tab.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await tab.getByText('carol@example.com is a member now.').waitFor();
    const carol = cardOf(tab, 'Carol Example');
    expect(await carol.innerText()).toContain('has not signed in');

    await tab.getByLabel('Role of Carol Example').selectOption({ label: 'Member' });
    await tab.getByText('Carol Example is a member now.').waitFor();
    await press(carol, 'Suspend Carol Example…');
    await press(tab, 'Suspend');
    await tab.getByText('Carol Example is suspended.').waitFor();
    await seeFocus(tab, 'Members');
    expect(await carol.getByText('Suspended').count()).toBe(1);
    await expectNoBarriers(tab);
    await tab.getByLabel('Show').selectOption({ label: 'Suspended' });
    await tab.getByText('One person').waitFor();
    await press(carol, 'Let in again: Carol Example');
    await seeHeading(tab, 'Nobody is like this');
    await press(tab, 'Show everybody');

    await tab.getByLabel('Search').fill('CAROL@');
    await tab.getByText('One person').waitFor();
    await press(carol, 'Remove Carol Example…');
    await press(tab, 'Remove');
    await seeHeading(tab, 'Nobody is like this');
    const { members } = await client.organizations.listMembers({ organizationId });
    expect(members.find(({ fullName }) => fullName === 'Carol Example')).toMatchObject({
      status: UserStatus.LEFT,
    });
    expect(person.complaints).toEqual([]);
  });

  test('keep their last admin, and it is said what to do', async () => {
    const started = await startConsole();
    const { client } = started;
    const { organization } = await client.organizations.createOrganization({
      name: 'Example Inc.',
    });
    const organizationId = organization?.id ?? '';
    await client.members.createMember({
      organizationId,
      email: 'carol@example.com',
      role: OrganizationRole.ADMIN,
    });
    const { tab } = await openConsole(browser, started, `/organizations/${organizationId}/members`);
    await tab.getByLabel('Role of carol@example.com').selectOption({ label: 'Member' });
    await seeHeading(tab, 'It was not changed');
    await tab.getByText('Make somebody else an admin first').waitFor();
    expect(await tab.getByLabel('Role of carol@example.com').inputValue()).toBe('admin');
    await press(tab, 'Remove carol@example.com…');
    await press(tab, 'Remove');
    await tab.getByRole('alertdialog').getByText('Make somebody else an admin first').waitFor();
    expect(await findBarriers(tab)).toEqual([]);
  });

  test('come in pages', async () => {
    const started = await startConsole();
    const { client, organizationId } = started;
    for (let count = 0; count < 60; count += 1) {
      await client.members.createMember({ organizationId, email: `person-${count}@example.com` });
    }
    const { person, tab } = await openConsole(browser, started, '/members');
    await tab.getByText('61 people').waitFor();
    expect(await tab.locator('.cards > li').count()).toBe(50);
    await press(tab, 'Show more');
    await tab.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' });
    expect(await tab.locator('.cards > li').count()).toBe(61);
    expect(person.complaints).toEqual([]);
  });
});

describe('Tokens', () => {
  test('are shown once when they are created, may what they may, and end when they are deleted', async () => {
    const started = await startConsole();
    const { url, organizationId } = started;
    const { person, tab } = await openConsole(browser, started, '/tokens');
    await seeHeading(tab, 'Made at the first start');
    await expectNoBarriers(tab);
    await press(tab, 'Create a token');
    await tab.getByLabel('What it is for').fill('Terraform');
    await tab.getByLabel('It works for').selectOption({ label: '7 days' });
    expect(await findBarriers(tab)).toEqual([]);
    await press(tab, 'Create');
    await seeHeading(tab, 'Copy the token now');
    const token = await tab.getByText(/^cgpat_/).innerText();
    await expectNoBarriers(tab);
    const client = createClaimgateClient({ baseUrl: url, token });
    await client.organizations.getOrganization({ organizationId });
    await expect(
      client.organizations.createDomainVerification({ organizationId, domain: 'example.com' }),
    ).rejects.toMatchObject({ code: 'permission_denied' });

    await press(tab, 'I have copied it');
    await seeFocus(tab, 'Tokens');
    expect(await tab.content()).not.toContain(token);
    expect(await cardOf(tab, 'Terraform').innerText()).toContain('Read only');
    await press(tab, 'Delete Terraform…');
    await press(tab, 'Delete');
    await tab.getByText('“Terraform” was deleted.').waitFor();
    await expect(client.organizations.getOrganization({ organizationId })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    expect(person.complaints).toEqual([]);
  });

  test('of a session that may only read are shown and left alone', async () => {
    const started = await startConsole();
    const { client, organizationId, url } = started;
    const { members } = await client.organizations.listMembers({ organizationId });
    const { token } = await client.users.createPersonalAccessToken({
      userId: members[0]?.userId ?? '',
      readOnly: true,
    });
    await client.organizations.createDomainVerification({ organizationId, domain: 'example.com' });
    const id = await started.client.organizations
      .createSSOConfiguration({
        organizationId,
        issuerUrl: started.idp.issuer,
        clientId: 'claimgate',
        clientSecret: 'secret',
      })
      .then(({ ssoConfiguration }) => ssoConfiguration?.id ?? '');
    const { tab } = await openConsole(browser, { url, token }, '/tokens');
    for (const [path, shown] of [
      ['/tokens', 'Made at the first start'],
      ['/members', 'Operator'],
      ['/domains', 'example.com'],
      [`/configurations/${id}/rule`, 'The rule'],
    ] as const) {
      await tab.goto(`${url}${path}`);
      await seeHeading(tab, shown);
      const names = await tab.getByRole('main').getByRole('button').allInnerTexts();
      expect(names.join()).not.toMatch(/Create|Delete|Add|Remove|Suspend|Look for|Save/);
    }
  });
});
