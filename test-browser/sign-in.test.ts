import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { LoginOutcome } from '../gen/claimgate/v1/login_attempt_pb.ts';
import { createWebClient } from '../test/support/create-web-client.ts';
import { signInAtOidcProvider } from '../test/support/sign-in-at-oidc-provider.ts';
import { launchChromium } from './launch-chromium.ts';
import { startPerson } from './open-tab.ts';
import { startSignIn } from './start-sign-in.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

/** The identity provider has another. */
const CLAIMGATE_HOSTNAME = '127.0.0.1';

/** Waits until the tab shows the page of this name. */
const seePage = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();

/** From our page to that of the identity provider. */
async function typeEmail(tab: Page, email: string): Promise<void> {
  await tab.getByLabel('Work email').fill(email);
  await tab.getByRole('button', { name: 'Continue' }).click();
}

/** From the page of the identity provider to where it ends. */
async function confirm(tab: Page, name: string): Promise<void> {
  await tab.getByLabel('Name').fill(name);
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.waitForURL(({ hostname }) => hostname === CLAIMGATE_HOSTNAME);
}

async function signIn(tab: Page, url: string, name: string): Promise<void> {
  await tab.goto(`${url}/login`);
  await typeEmail(tab, `${name}@example.com`);
  await confirm(tab, name);
}

/** What `/session` says, in a tab that shows nothing else. */
async function readSession(tab: Page, url: string): Promise<unknown> {
  const response = await tab.request.get(`${url}/session`);
  return response.json();
}

describe('The way in', () => {
  test.for([{ javaScriptEnabled: true }, { javaScriptEnabled: false }])(
    'leads from a typed email to a session, and out again, with %o',
    async (options) => {
      const { url } = await startSignIn();
      const person = await startPerson(browser, options);
      const tab = await person.openTab();
      await tab.goto(`${url}/signed-in`);
      await tab.getByRole('link', { name: 'Sign in' }).click();
      await typeEmail(tab, 'alice@example.com');
      await seePage(tab, 'Demo identity provider');
      // The identity provider was told who wants to sign in.
      expect(await tab.getByLabel('Name').inputValue()).toBe('alice');
      await tab.getByRole('button', { name: 'Sign in' }).click();

      await seePage(tab, 'You are signed in');
      expect(tab.url()).toBe(`${url}/signed-in`);
      const main = await tab.getByRole('main').innerText();
      expect(main).toContain('Alice Example');
      expect(main).toContain('alice@example.com');
      expect(await readSession(tab, url)).toMatchObject({
        user: { name: 'Alice Example', email: 'alice@example.com', role: 'member' },
      });
      const cookies = await person.context.cookies(url);
      expect(cookies.find(({ name }) => name === 'claimgate-session')).toMatchObject({
        httpOnly: true,
        sameSite: 'Lax',
        path: '/',
      });

      await tab.getByRole('button', { name: 'Sign out' }).click();
      await seePage(tab, 'You are signed out');
      expect(await readSession(tab, url)).toMatchObject({ code: 'unauthenticated' });
      expect(await person.context.cookies(url)).toEqual([]);
      expect(person.complaints).toEqual([]);
    },
  );

  test('needs a keyboard alone', async () => {
    const { url } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/login`);
    await tab.keyboard.type('alice@example.com');
    await tab.keyboard.press('Enter');
    await seePage(tab, 'Demo identity provider');
    await tab.keyboard.press('Enter');
    await seePage(tab, 'You are signed in');
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    await seePage(tab, 'You are signed out');
    expect(person.complaints).toEqual([]);
  });

  test('asks again when nobody has set up the email’s domain, and keeps what was typed', async () => {
    const { url } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/login`);
    await typeEmail(tab, 'alice@exmaple.com');
    expect(await tab.getByRole('alert').innerText()).toContain('No single sign-on is set up');
    const field = tab.getByLabel('Work email');
    expect(await field.inputValue()).toBe('alice@exmaple.com');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await typeEmail(tab, 'alice@example.com');
    await confirm(tab, 'alice');
    await seePage(tab, 'You are signed in');
    expect(person.complaints).toEqual([]);
  });

  test('offers a choice when there are several ways', async () => {
    const { url, addConfiguration, listLoginAttempts } = await startSignIn();
    await addConfiguration('Example staff <& friends>');
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/login`);
    await typeEmail(tab, 'alice@example.com');
    await seePage(tab, 'Choose how to sign in');
    const choices = await tab.getByRole('listitem').allInnerTexts();
    expect(choices.toSorted()).toEqual(['Example SSO', 'Example staff <& friends>']);
    await tab.getByRole('link', { name: 'Example staff <& friends>' }).click();
    await confirm(tab, 'alice');
    await seePage(tab, 'You are signed in');
    expect(await listLoginAttempts()).toMatchObject([{ outcome: LoginOutcome.ADMITTED }]);
    expect(person.complaints).toEqual([]);
  });
});

describe('A product’s page', () => {
  test('is where the person comes back to, knows them by their session, and can send them out', async () => {
    const { url, productUrl } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    const page = `${productUrl}/reports?year=2026&of=a%20b#total`;
    await tab.goto(`${url}/login?${String(new URLSearchParams({ return_to: page }))}`);
    await typeEmail(tab, 'alice@example.com');
    await confirm(tab, 'alice');
    expect(tab.url()).toBe(page);
    await tab.getByText('Alice Example').waitFor();

    await tab.getByRole('link', { name: 'Sign out' }).click();
    await tab.getByRole('button', { name: 'Sign out' }).click();
    expect(tab.url()).toBe(page);
    await tab.getByText('unauthenticated').waitFor();

    await signIn(tab, url, 'bob');
    await tab.goto(productUrl);
    await tab.getByText('Bob Example').waitFor();
    await tab.getByRole('button', { name: 'Sign out at once' }).click();
    await seePage(tab, 'You are signed out');
    expect(person.complaints).toEqual([]);
  });

  test('of an origin that nobody allowed learns nothing, ends nothing, and is not returned to', async () => {
    const { url, strangerUrls } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await signIn(tab, url, 'alice');
    for (const strangerUrl of strangerUrls) {
      await tab.goto(strangerUrl);
      await tab.getByText('TypeError').waitFor();
      await tab.getByRole('button', { name: 'Sign out at once' }).click();
      await seePage(tab, 'Nothing was changed');
      expect(await readSession(tab, url)).toMatchObject({ user: { name: 'Alice Example' } });
      await tab.goto(`${url}/login?${String(new URLSearchParams({ return_to: strangerUrl }))}`);
      await seePage(tab, 'This link does not work');
    }
  });
});

describe('Who is refused', () => {
  test('by the rule reads what to do, and an admin finds why under the id on the page', async () => {
    const { url, listLoginAttempts } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await signIn(tab, url, 'mallory');
    await seePage(tab, 'You cannot sign in here');
    const attemptId = await tab.getByRole('code').innerText();
    const main = await tab.getByRole('main').innerText();
    expect(main).toContain('ask the admin of your organization');
    expect(main).not.toMatch(/email_verified|claims|rule_refused/);
    expect(await readSession(tab, url)).toMatchObject({ code: 'unauthenticated' });
    expect(await listLoginAttempts()).toMatchObject([
      {
        id: attemptId,
        outcome: LoginOutcome.REFUSED,
        stage: 'policy',
        reason: 'rule_refused',
        maskedEmail: 'm***@example.com',
        address: '127.0.0.1',
      },
    ]);

    await tab.getByRole('link', { name: 'Begin again' }).click();
    await typeEmail(tab, 'alice@example.com');
    await confirm(tab, 'alice');
    await seePage(tab, 'You are signed in');
    expect(person.complaints).toEqual([]);
  });

  test('by their own wish reads that they were not signed in', async () => {
    const { url, listLoginAttempts } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await tab.goto(`${url}/login`);
    await typeEmail(tab, 'alice@example.com');
    await tab.getByRole('button', { name: 'Cancel' }).click();
    await seePage(tab, 'You were not signed in');
    const attemptId = await tab.getByRole('code').innerText();
    expect(await listLoginAttempts()).toMatchObject([{ id: attemptId, reason: 'access_denied' }]);
    expect(person.complaints).toEqual([]);
  });
});

describe('Several at once, and once more', () => {
  test('Two tabs that sign in at once both get there; the last one’s session stays', async () => {
    const { url } = await startSignIn();
    const person = await startPerson(browser);
    const [first, second] = [await person.openTab(), await person.openTab()];
    for (const tab of [first, second]) {
      await tab.goto(`${url}/login`);
      await typeEmail(tab, 'alice@example.com');
    }
    await confirm(first, 'alice');
    await seePage(first, 'You are signed in');
    await confirm(second, 'bob');
    await seePage(second, 'You are signed in');
    await first.reload();
    expect(await first.getByRole('main').innerText()).toContain('Bob Example');
    expect(person.complaints).toEqual([]);
  });

  test('Going back after signing in does no harm', async () => {
    const { url } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    await signIn(tab, url, 'alice');
    await tab.goBack();
    await tab.goBack();
    expect(tab.url()).toBe(`${url}/login`);
    expect(await readSession(tab, url)).toMatchObject({ user: { name: 'Alice Example' } });
    await typeEmail(tab, 'bob@example.com');
    await confirm(tab, 'bob');
    expect(await tab.getByRole('main').innerText()).toContain('Bob Example');
    expect(person.complaints).toEqual([]);
  });

  test('A callback that is opened a second time signs nobody in, and leaves the session alone', async () => {
    const { url, listLoginAttempts } = await startSignIn();
    const person = await startPerson(browser);
    const tab = await person.openTab();
    let callback = '';
    tab.on('request', (request) => {
      if (request.url().startsWith(`${url}/auth/oidc/callback`)) callback = request.url();
    });
    await signIn(tab, url, 'alice');
    await tab.goto(callback);
    await seePage(tab, 'This sign-in cannot go on');
    const attemptId = await tab.getByRole('code').innerText();
    expect(await readSession(tab, url)).toMatchObject({ user: { name: 'Alice Example' } });
    expect(await listLoginAttempts()).toMatchObject([
      { id: attemptId, reason: 'attempt_replayed' },
      { outcome: LoginOutcome.ADMITTED },
    ]);
    expect(person.complaints).toEqual([]);
  });

  test('A callback that was meant for another browser signs nobody in', async () => {
    const { url, listLoginAttempts } = await startSignIn();
    const attacker = createWebClient(url);
    const { location: login } = await attacker.open('/login?email=bob@example.com');
    const { location: authorization } = await attacker.open(login);
    const callback = await signInAtOidcProvider(authorization, 'bob');

    const victim = await startPerson(browser);
    const tab = await victim.openTab();
    await signIn(tab, url, 'alice');
    await tab.goto(callback.href);
    await seePage(tab, 'This sign-in cannot go on');
    expect(await readSession(tab, url)).toMatchObject({ user: { name: 'Alice Example' } });
    expect(await listLoginAttempts()).toMatchObject([
      { reason: 'browser_mismatch' },
      { outcome: LoginOutcome.ADMITTED },
    ]);
    expect(victim.complaints).toEqual([]);
  });
});
