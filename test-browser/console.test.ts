import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { OrganizationRole, SSOConfigurationState } from '../gen/gitpod/v1/organization_pb.ts';
import { findBarriers, sticksOut } from './check-accessibility.ts';
import { launchChromium } from './launch-chromium.ts';
import { startPerson } from './open-tab.ts';
import { openConsole, startConsole, storeConfiguration } from './start-console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

/** Waits until the tab shows the page of this name. */
const seePage = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();

const press = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('button', { name, exact: true }).click();

/** At the demo identity provider. */
async function signInAs(tab: Page, name: string): Promise<void> {
  await tab.getByLabel('Name').fill(name);
  await tab.getByRole('button', { name: 'Sign in' }).click();
}

describe('The way into the console', () => {
  test('is a token, which is traded for a session and kept nowhere that scripts can read', async () => {
    const { url, token } = await startConsole();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/configurations/new`);
    await seePage(tab, 'Sign in to Claimgate');
    await tab.getByLabel('Personal access token').fill('a token that nobody made');
    await press(tab, 'Use the token');
    expect(await tab.getByRole('alert').innerText()).toContain('Copy it once more, whole');
    expect(await findBarriers(tab)).toEqual([]);

    await tab.getByLabel('Personal access token').fill(` ${token} `);
    await tab.keyboard.press('Enter');
    // Where the address led.
    await seePage(tab, 'Set up single sign-on');
    const kept: string = await tab.evaluate(
      'document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }) + document.documentElement.outerHTML',
    );
    expect(kept).not.toContain(token);
    expect(kept).not.toContain('cgses_');
    const cookies = await person.context.cookies(url);
    expect(cookies).toMatchObject([{ name: 'claimgate-session', httpOnly: true, sameSite: 'Lax' }]);

    await tab.reload();
    await seePage(tab, 'Set up single sign-on');
    await press(tab, 'Sign out');
    await seePage(tab, 'Sign in to Claimgate');
    expect(await person.context.cookies(url)).toEqual([]);
    expect(person.complaints).toEqual([]);
  });

  test('is single sign-on, back to where an admin came for; a member is told that all is well', async () => {
    const started = await startConsole();
    const { url, client, organizationId } = started;
    const id = await storeConfiguration(started);
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/configurations/${id}`);
    await tab.getByRole('textbox', { name: 'Work email' }).fill('alice@example.com');
    await press(tab, 'Continue');
    await signInAs(tab, 'alice');
    await seePage(tab, 'There is no such page');
    await tab.getByRole('link', { name: 'To the first page' }).click();
    await seePage(tab, 'You are signed in');
    expect(await tab.getByRole('main').innerText()).toContain('alice@example.com');
    expect(await findBarriers(tab)).toEqual([]);

    const { members } = await client.organizations.listMembers({ organizationId });
    const alice = members.find(({ email }) => email === 'alice@example.com');
    await client.organizations.setRole({
      organizationId,
      userId: alice?.userId ?? '',
      role: OrganizationRole.ADMIN,
    });
    await tab.goto(`${url}/configurations/${id}`);
    await seePage(tab, 'Example SSO');
    expect(await tab.getByRole('button', { name: 'Switch organization' }).count()).toBe(0);
    expect(person.complaints).toEqual([]);
  });

  test('ends with the token', async () => {
    const started = await startConsole();
    const { tab } = await openConsole(browser, started);
    await seePage(tab, 'Configurations');
    const { users } = started.client;
    const { personalAccessTokens } = await users.listPersonalAccessTokens({});
    for (const { id } of personalAccessTokens)
      await users.deletePersonalAccessToken({ personalAccessTokenId: id });
    await tab.getByRole('link', { name: 'Set up single sign-on' }).click();
    await seePage(tab, 'Set up single sign-on');
    await tab.reload();
    await seePage(tab, 'Sign in to Claimgate');
    expect(await tab.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  });

  test('shows and changes nothing more than a read-only token may', async () => {
    const started = await startConsole();
    const id = await storeConfiguration(started);
    const { user } = await started.client.users.getAuthenticatedUser({});
    const { token } = await started.client.users.createPersonalAccessToken({
      userId: user?.id ?? '',
      readOnly: true,
    });
    const { tab, person } = await openConsole(
      browser,
      { ...started, token },
      `/configurations/${id}`,
    );
    await seePage(tab, 'Example SSO');
    expect(await tab.getByText('Read-only').count()).toBe(1);
    expect(await tab.getByLabel('Client id').isDisabled()).toBe(true);
    const buttons = await tab.getByRole('main').getByRole('button').allInnerTexts();
    expect(buttons).toEqual(['Copy']);
    expect(await findBarriers(tab)).toEqual([]);
    expect(person.complaints).toEqual([]);
  });
});

describe('A configuration', () => {
  test('is set up in three steps, checked, tried, switched on, changed and deleted', async () => {
    const started = await startConsole();
    const { idp, client, organizationId, url } = started;
    const { tab, person } = await openConsole(browser, started);
    await seePage(tab, 'Configurations');
    await tab.getByText('No configuration yet').waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    await tab.getByRole('link', { name: 'Set up single sign-on' }).click();
    await seePage(tab, 'Set up single sign-on');
    expect(await tab.title()).toBe('Set up single sign-on – Claimgate');
    expect(await tab.evaluate('document.activeElement.tagName')).toBe('H1');
    expect(await findBarriers(tab)).toEqual([]);
    await tab.getByRole('link', { name: 'Keycloak' }).click();
    await seePage(tab, 'Set up Keycloak');
    const redirectUri = `${url}/auth/oidc/callback/${organizationId}`;
    expect(await tab.getByRole('main').getByRole('code').first().innerText()).toBe(redirectUri);

    // What is missing is told at the fields, before anything is sent.
    await press(tab, 'Save, switched off');
    expect(await tab.getByLabel('Issuer URL').getAttribute('aria-invalid')).toBe('true');
    await tab.getByLabel('Issuer URL').fill(`${idp.issuer}/`);
    await tab.getByLabel('Client id').fill(idp.clientId);
    await tab.getByLabel('Client secret').fill(idp.clientSecret);
    await press(tab, 'Check now');
    await tab.getByText('a slash at the end counts').waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    expect(await sticksOut(tab)).toBe(false);

    await tab.getByLabel('Issuer URL').fill(idp.issuer);
    await tab.getByRole('textbox', { name: 'Email domains' }).fill('example.com');
    await tab.getByLabel('Rule: who gets in').fill('claims.email +');
    await press(tab, 'Save, switched off');
    await tab.getByText('The configuration was not saved').waitFor();
    // What the server finds is told at the field, by line and column.
    const field = tab.getByLabel('Rule: who gets in');
    const describedBy = (await field.getAttribute('aria-describedby')) ?? '';
    const told = await Promise.all(
      describedBy.split(' ').map((id) => tab.locator(`[id="${id}"]`).allInnerTexts()),
    );
    expect(told.flat().join(' ')).toContain('Line 1, column');
    expect(await findBarriers(tab)).toEqual([]);
    await field.fill('claims.email_verified');
    await press(tab, 'Check again');
    await tab.getByText('All is as it should be.').waitFor();
    await press(tab, 'Save, switched off');

    await seePage(tab, 'Keycloak');
    await tab.getByRole('heading', { name: 'It is off' }).waitFor();
    await press(tab, 'Check now');
    await tab.getByText('All is as it should be.').waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    expect(await sticksOut(tab)).toBe(false);

    for (const [name, verdict] of [
      ['mallory', 'This person would not get in'],
      ['alice', 'This person would get in'],
    ] as const) {
      await tab.getByRole('button', { name: /^Prepare a/ }).click();
      const opening = person.context.waitForEvent('page');
      await tab.getByRole('link', { name: 'Open the test login in a new tab' }).click();
      const trial = await opening;
      await signInAs(trial, name);
      await tab.getByText(verdict).waitFor();
      expect(await findBarriers(tab)).toEqual([]);
      await trial.close();
    }

    await press(tab, 'Switch on');
    await tab.getByRole('heading', { name: 'It is on' }).waitFor();
    await press(tab, 'Switch off');
    await tab.getByRole('heading', { name: 'It is off' }).waitFor();
    const read = async () => {
      const { ssoConfigurations } = await client.organizations.listSSOConfigurations({
        organizationId,
      });
      return ssoConfigurations[0];
    };
    expect(await read()).toMatchObject({
      state: SSOConfigurationState.SSO_CONFIGURATION_STATE_INACTIVE,
      displayName: 'Keycloak',
      issuerUrl: idp.issuer,
      emailDomains: ['example.com'],
      claimsExpression: 'claims.email_verified',
    });

    // Set, set, and left alone.
    await tab.getByLabel('Additional scopes').fill('groups, offline_access');
    await tab.getByText('Claims mapping:').click();
    await tab.getByLabel('Claim for groups').fill('realm_access.roles');
    await press(tab, 'Save changes');
    await tab.getByText('Saved.', { exact: true }).waitFor();
    expect(await read()).toMatchObject({
      additionalScopes: ['groups', 'offline_access'],
      claims: { groups: 'realm_access.roles' },
      claimsExpression: 'claims.email_verified',
    });
    // Cleared, and a new secret, checked before it is saved.
    await tab.getByLabel('Additional scopes').fill('');
    await tab.getByLabel('Claim for groups').fill('');
    await tab.getByLabel('New client secret').fill('wrong');
    await tab
      .getByRole('region', { name: 'Check of the changes' })
      .getByRole('button', { name: 'Check' })
      .click();
    await tab.getByText('People could not sign in like this.').waitFor();
    await tab.getByLabel('New client secret').fill(idp.clientSecret);
    await press(tab, 'Save changes');
    await tab.getByText('Saved.', { exact: true }).waitFor();
    expect(await tab.getByLabel('New client secret').inputValue()).toBe('');
    expect(await read()).toMatchObject({ additionalScopes: [], claims: {} });

    await press(tab, 'Delete…');
    await tab.getByLabel('To confirm, type Keycloak').fill('keycloak');
    await press(tab, 'Delete');
    await tab.getByText('Type Keycloak, letter by letter.').waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    await tab.keyboard.press('Escape');
    expect(await read()).toBeDefined();
    await press(tab, 'Delete…');
    await tab.getByLabel('To confirm, type Keycloak').fill('Keycloak');
    await tab.keyboard.press('Enter');
    await tab.getByText('No configuration yet').waitFor();
    expect(await read()).toBeUndefined();
    expect(person.complaints).toEqual([]);
  });

  test('is not changed so that people are shut out, unless that is meant', async () => {
    const started = await startConsole();
    const id = await storeConfiguration(started);
    const alice = await startPerson(browser);
    const login = await alice.openTab();
    await login.goto(`${started.url}/login?email=alice@example.com`);
    await signInAs(login, 'alice');
    await seePage(login, 'You are signed in');

    const { tab, person } = await openConsole(browser, started, `/configurations/${id}`);
    await seePage(tab, 'Example SSO');
    const domains = tab.getByRole('textbox', { name: 'Email domains' });
    await domains.fill('example.org');
    await press(tab, 'Save changes');
    await tab.getByText('This would shut out a person').waitFor();
    expect(await tab.getByRole('alert').innerText()).toContain('a***@example.com');
    expect(await findBarriers(tab)).toEqual([]);
    await press(tab, 'Leave it as it is');
    expect(await tab.getByRole('alert').count()).toBe(0);
    await press(tab, 'Save changes');
    await press(tab, 'Save anyway');
    await tab.getByText('Saved.', { exact: true }).waitFor();
    expect(await domains.inputValue()).toBe('example.org');
    expect(person.complaints).toEqual([]);
  });

  test('of every provider is set up by a page that shuts nobody out', async () => {
    const started = await startConsole();
    const { tab, person } = await openConsole(browser, started, '/configurations/new');
    await seePage(tab, 'Set up single sign-on');
    const providers = await tab.getByRole('main').getByRole('listitem').allInnerTexts();
    expect(providers).toEqual([
      'Okta',
      'Microsoft Entra ID',
      'Google Workspace',
      'Auth0',
      'Keycloak',
      'Another provider',
    ]);
    for (const provider of providers) {
      await tab.goto(`${started.url}/configurations/new`);
      await tab.getByRole('link', { name: provider }).click();
      await tab.getByRole('heading', { name: '2. What it gave you' }).waitFor();
      expect(await findBarriers(tab)).toEqual([]);
      expect(await sticksOut(tab)).toBe(false);
    }
    expect(person.complaints).toEqual([]);
  });
});

describe('The frame', () => {
  test('leads an operator to another organization, and back', async () => {
    const started = await startConsole();
    const { organization } = await started.client.organizations.createOrganization({
      name: 'Example Inc.',
    });
    const id = organization?.id ?? '';
    const { tab, person } = await openConsole(browser, started);
    await seePage(tab, 'Configurations');
    await press(tab, 'Switch organization');
    expect(await findBarriers(tab)).toEqual([]);
    await tab.getByLabel('Organization id').fill(id);
    await tab.keyboard.press('Enter');
    await tab.getByText('Example Inc.').waitFor();
    expect(tab.url()).toBe(`${started.url}/organizations/${id}/configurations`);
    await tab.getByRole('link', { name: 'Set up single sign-on' }).click();
    await tab.getByRole('link', { name: 'Okta' }).click();
    await seePage(tab, 'Set up Okta');
    expect(await tab.getByRole('code').first().innerText()).toContain(id);
    await tab.reload();
    await seePage(tab, 'Set up Okta');
    await press(tab, 'Switch organization');
    await press(tab, 'Back to my own');
    await seePage(tab, 'Configurations');
    expect(tab.url()).toBe(`${started.url}/configurations`);
    expect(person.complaints).toEqual([]);
  });

  test('tells what to do when the server cannot be reached', async () => {
    const started = await startConsole();
    const { tab } = await openConsole(browser, started, '/configurations/new');
    await seePage(tab, 'Set up single sign-on');
    await tab.route('**/ListSSOConfigurations', (route) => route.abort());
    await tab.getByRole('link', { name: 'Configurations' }).click();
    await tab.getByText('The server cannot be reached', { exact: true }).waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    await tab.unroute('**/ListSSOConfigurations');
    await press(tab, 'Try again');
    await tab.getByText('No configuration yet').waitFor();
  });

  test('says so where an address leads nowhere', async () => {
    const started = await startConsole();
    const { tab, person } = await openConsole(browser, started, '/nowhere/at/all');
    await seePage(tab, 'There is no such page');
    expect(await findBarriers(tab)).toEqual([]);
    await tab.goto(`${started.url}/configurations/01234567-89ab-7def-8123-456789abcdef`);
    await tab.getByText('It is not there').waitFor();
    expect(await tab.getByRole('alert').innerText()).toMatch(/Request id: [\w-]{36}/);
    expect(person.complaints).toEqual([]);
  });
});
