import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { OrganizationRole } from '../gen/gitpod/v1/organization_pb.ts';
import { UserStatus } from '../gen/gitpod/v1/user_pb.ts';
import { createClaimgateClient } from '../src/client/node.ts';
import { findBarriers, sticksOut } from './check-accessibility.ts';
import { launchChromium } from './launch-chromium.ts';
import { openConsole, startConsole } from './start-console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

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
