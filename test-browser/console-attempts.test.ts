import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

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
async function expectNoBarriers(tab: Page): Promise<void> {
  expect(await findBarriers(tab)).toEqual([]);
  expect(await sticksOut(tab)).toBe(false);
}

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
