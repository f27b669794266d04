// The whole way of a customer's admin, from the server's first start to the day on which a rule shuts somebody out.
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';

import { findBarriers } from './check-accessibility.ts';
import { launchChromium } from './launch-chromium.ts';
import { startPerson } from './open-tab.ts';
import { startConsole } from './start-console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

const seePage = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const seeHeading = (tab: Page, name: string | RegExp): Promise<void> =>
  tab.getByRole('heading', { name }).first().waitFor();
const press = (at: Page | Locator, name: string): Promise<void> =>
  at.getByRole('button', { name, exact: true }).click();
const openPage = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('navigation').getByRole('link', { name, exact: true }).click();

/** At the identity provider. */
async function confirm(tab: Page, name: string): Promise<void> {
  await tab.getByLabel('Name').fill(name);
  await press(tab, 'Sign in');
}

async function openTestLogin(context: BrowserContext, tab: Page): Promise<Page> {
  await press(tab, 'Prepare a test login');
  const [opened] = await Promise.all([
    context.waitForEvent('page'),
    tab.getByRole('link', { name: 'Open the test login in a new tab' }).click(),
  ]);
  return opened;
}

/** A person, with a browser of their own, on the sign-in page. */
async function signIn(url: string, name: string): Promise<Page> {
  const { openTab } = await startPerson(browser);
  const tab = await openTab();
  await tab.goto(`${url}/login`);
  await tab.getByLabel('Work email').fill(`${name}@example.com`);
  await press(tab, 'Continue');
  await confirm(tab, name);
  return tab;
}

test('An admin sets single sign-on up, tries it, switches it on, and learns whom a new rule shuts out, and why', async () => {
  const { url, token, idp, dns } = await startConsole();
  const admin = await startPerson(browser);
  const tab = await admin.openTab();
  const look = async (): Promise<void> => expect(await findBarriers(tab)).toEqual([]);

  // First start: the token that it printed is traded for a session.
  await tab.goto(url);
  await seePage(tab, 'Sign in to Claimgate');
  await look();
  await tab.getByLabel('Personal access token').fill(token);
  await press(tab, 'Use the token');
  await seePage(tab, 'Configurations');
  await seeHeading(tab, 'No configuration yet');
  await look();

  // A configuration, against the identity provider, checked before it is saved.
  await tab.getByRole('link', { name: 'Set up single sign-on' }).click();
  await seePage(tab, 'Set up single sign-on');
  await look();
  await tab.getByRole('link', { name: 'Other', exact: false }).click();
  await tab.getByLabel('Issuer URL').fill(idp.issuer);
  await tab.getByLabel('Client id').fill(idp.clientId);
  await tab.getByLabel('Client secret').fill(idp.clientSecret);
  await tab.getByRole('textbox', { name: /^Name/ }).fill('Example SSO');
  await tab.getByRole('textbox', { name: 'Email domains' }).fill('example.com');
  await tab.getByRole('textbox', { name: 'Additional scopes' }).fill('groups');
  await tab.getByRole('textbox', { name: 'Rule: who gets in' }).fill('claims.email_verified');
  await press(tab, 'Check now');
  await tab.getByText('Its keys can be used').waitFor();
  expect(await tab.locator('.stages > .wrong').count()).toBe(0);
  await look();

  // Before anything is saved, somebody signs in through what stands there.
  const drafted = await openTestLogin(admin.context, tab);
  await confirm(drafted, 'alice');
  await seeHeading(tab, 'This person would get in');
  await drafted.close();
  await press(tab, 'Save, switched off');
  await seePage(tab, 'Example SSO');
  await seeHeading(tab, 'It is off');

  // The domain, by a record in the DNS of this machine.
  await openPage(tab, 'Domains');
  await seeHeading(tab, 'No domain yet');
  await tab.getByLabel('Email domain').fill('example.com');
  await press(tab, 'Add');
  const record = await tab.getByText(/^claimgate-verification=/).innerText();
  await press(tab, 'Look for the record');
  await seeHeading(tab, 'The record is not there yet');
  dns.setTxt('_claimgate-challenge.example.com', [record]);
  await press(tab, 'Look for the record');
  await tab.getByText('example.com is verified.').waitFor();
  await look();

  // A test login, while the configuration is off.
  await openPage(tab, 'Configurations');
  await tab.getByRole('link', { name: 'Example SSO' }).click();
  const tester = await openTestLogin(admin.context, tab);
  await confirm(tester, 'mallory');
  await tester.getByText('email_verified').first().waitFor();
  await seeHeading(tab, 'This person would not get in');
  expect(await tab.locator('.notice.wrong').innerText()).toContain(
    'claims.email_verified is false',
  );
  await look();
  await tester.close();

  // It is switched on, and a person signs in; another is refused, and is shown an id.
  await press(tab, 'Switch on');
  await seeHeading(tab, 'It is on');
  for (const name of ['alice', 'bob']) await seePage(await signIn(url, name), 'You are signed in');
  const refused = await signIn(url, 'mallory');
  await seePage(refused, 'You cannot sign in here');
  const attemptId = await refused.getByRole('code').innerText();

  // A new rule: the sample, the preview, the guard, and "anyway".
  await tab.getByRole('link', { name: 'Edit and try the rule' }).click();
  await seePage(tab, 'Rule: who gets in');
  const rule = tab.getByRole('textbox', { name: 'Rule, a CEL expression' });
  await rule.fill('claims.email_verified && "engineering" in claims.groups');
  await seeHeading(tab, 'A person with these claims gets in');
  await press(tab, 'Preview');
  await seeHeading(tab, 'It would shut out one person');
  const preview = await tab.locator('.notice.warn').innerText();
  expect(preview).toContain('b***@example.com');
  expect(preview).toContain('"engineering" in claims.groups');
  expect(preview).not.toContain('a***@example.com');
  await look();
  await press(tab, 'Save the rule');
  await seeHeading(tab, 'This would shut out a person');
  await press(tab, 'Save anyway');
  await tab.getByText('Saved. It decides from the next sign-in on.').waitFor();

  // From now on it decides.
  await seePage(await signIn(url, 'alice'), 'You are signed in');
  await seePage(await signIn(url, 'bob'), 'You cannot sign in here');

  // The attempts say why.
  await openPage(tab, 'Login attempts');
  const newest = tab.getByRole('article').first();
  await newest.getByText('b***@example.com').first().waitFor();
  await newest.getByText('Why, and what to do').click();
  await newest.getByText('claims.groups is ["sales"]').waitFor();
  expect(await newest.innerText()).toContain('"engineering" in claims.groups is false');
  await look();
  await tab.getByLabel('Email or attempt id').fill(attemptId);
  await press(tab, 'Find');
  await seePage(tab, 'Login attempt');
  await seeHeading(tab, 'm***@example.com');
  expect(await tab.getByRole('article').innerText()).toContain('claims.email_verified');
  await tab.getByText('"email": "mallory@example.com"').waitFor();
  await look();

  // And who came in is there.
  await openPage(tab, 'Members');
  await seeHeading(tab, 'Alice Example');
  await look();
  await openPage(tab, 'Tokens');
  await seeHeading(tab, 'Made at the first start');
  await look();
  expect(admin.complaints).toEqual([]);
}, 120_000);
