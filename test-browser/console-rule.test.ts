import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { findBarriers, sticksOut } from './check-accessibility.ts';
import { launchChromium } from './launch-chromium.ts';
import { signInAs } from './sign-in-as.ts';
import { openConsole, startConsole, storeConfiguration } from './start-console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});

const RULE = 'claims.email.endsWith("@example.com")';

const ruleOf = (tab: Page): Locator => tab.getByRole('textbox', { name: 'Rule, a CEL expression' });
const sampleOf = (tab: Page): Locator => tab.getByRole('textbox', { name: 'Sample claims' });
const seeHeading = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('heading', { name, exact: true }).waitFor();
const press = (tab: Page, name: string): Promise<void> =>
  tab.getByRole('button', { name, exact: true }).click();

/** On the rule of a configuration that lets in who has an address of example.com. */
async function openRule(claimsExpression = RULE) {
  const started = await startConsole();
  const id = await storeConfiguration(started, { claimsExpression });
  const opened = await openConsole(browser, started, `/configurations/${id}/rule`);
  await ruleOf(opened.tab).waitFor();
  const readStored = async (): Promise<string | undefined> => {
    const request = { ssoConfigurationId: id };
    const { ssoConfiguration } = await started.client.organizations.getSSOConfiguration(request);
    return ssoConfiguration?.claimsExpression;
  };
  return { ...started, ...opened, id, readStored };
}

describe('The rule editor', () => {
  test('shows the verdict while one types, with the parts that were false and what they saw', async () => {
    const { tab, person } = await openRule();
    await seeHeading(tab, 'A person with these claims gets in');
    await ruleOf(tab).fill(
      'claims.email_verified && "support" in claims.groups && claims.dep == "x"',
    );
    await seeHeading(tab, 'A person with these claims is shut out');
    const verdict = await tab.locator('.notice.wrong').innerText();
    expect(verdict).toContain('"support" in claims.groups');
    expect(verdict).toContain('["engineering"]');

    await ruleOf(tab).fill('claims.email_verified && claims.dep == "x"');
    await tab.getByText('dep is missing').waitFor();
    await ruleOf(tab).fill('"support" in claims.groups && claims.dep == "x"');

    await sampleOf(tab).fill(
      '{"email": "bob@example.com", "email_verified": true, "groups": ["support"], "dep": "x"}',
    );
    await seeHeading(tab, 'A person with these claims gets in');
    await tab.getByText('What the claims mapping makes of them').click();
    expect(await tab.locator('.notice.good').innerText()).toContain('bob@example.com');
    expect(await findBarriers(tab)).toEqual([]);
    expect(await sticksOut(tab)).toBe(false);
    expect(person.complaints).toEqual([]);
  });

  test.for([
    ['claims.email ==', 'Line 1, column 16'],
    ['claims.email_verified &&\n  claims.email.endsWit("x")', 'Line 2, column'],
    ['"a" + "b"', 'Line 1, column'],
  ] as const)('marks where %s cannot be used', async ([expression, place]) => {
    const { tab, person } = await openRule();
    await ruleOf(tab).fill(expression);
    await tab.getByText(place).waitFor();
    await seeHeading(tab, 'The rule cannot be used yet');
    expect(await ruleOf(tab).getAttribute('aria-invalid')).toBe('true');
    expect(await tab.locator('.cm-problem').count()).toBe(1);
    expect(await findBarriers(tab)).toEqual([]);

    await ruleOf(tab).fill('true');
    await seeHeading(tab, 'A person with these claims gets in');
    expect(await ruleOf(tab).getAttribute('aria-invalid')).toBeNull();
    expect(await tab.locator('.cm-problem').count()).toBe(0);
    expect(person.complaints).toEqual([]);
  });

  test('says where sample claims are no JSON, and still finds what is wrong with the rule', async () => {
    const { tab, person } = await openRule();
    await sampleOf(tab).fill('{"email": }');
    await tab.getByText('This is no JSON yet').waitFor();
    await tab.getByText('Mend the sample claims').waitFor();
    await sampleOf(tab).fill('["email"]');
    await tab.getByText('Claims are a JSON object').waitFor();
    await ruleOf(tab).fill('claims.');
    await tab
      .getByText(/^Line 1, column \d+: /)
      .nth(1)
      .waitFor();
    expect(await tab.getByText(/^Line 1, column \d+: /).count()).toBe(2);
    expect(person.complaints).toEqual([]);
  });

  test('is left by the Tab key, and colours without a style element', async () => {
    const { tab, person } = await openRule();
    await ruleOf(tab).focus();
    await tab.keyboard.press('Tab');
    expect(await ruleOf(tab).evaluate((element) => element.matches(':focus'))).toBe(false);
    const [styles, adopted, color] = await tab.evaluate<[number, number, string]>(`(() => {
      const { shadowRoot } = document.querySelector('.code-editor');
      const text = [...shadowRoot.querySelectorAll('.cm-line span')].find((span) => span.textContent.startsWith('"@'));
      return [
        document.querySelectorAll('style').length + shadowRoot.querySelectorAll('style').length,
        shadowRoot.adoptedStyleSheets.length,
        getComputedStyle(text).color,
      ];
    })()`);
    expect(styles).toBe(0);
    expect(adopted).toBe(1);
    expect(color).toBe('rgb(20, 104, 58)');
    expect(person.complaints).toEqual([]);
  });

  test('begins with an example where there is no rule, and can take one away', async () => {
    const { tab, person, readStored } = await openRule('');
    expect(await findBarriers(tab)).toEqual([]);
    await press(tab, 'Verified addresses of one domain');
    await seeHeading(tab, 'A person with these claims gets in');
    await press(tab, 'Save the rule');
    await tab.getByText('Saved. It decides from the next sign-in on.').waitFor();
    expect(await readStored()).toBe(
      'claims.email_verified && claims.email.endsWith("@example.com")',
    );

    await ruleOf(tab).fill('');
    await press(tab, 'Save the rule');
    await tab.getByText('Saved. It decides from the next sign-in on.').waitFor();
    expect(await readStored()).toBe('');
    expect(person.complaints).toEqual([]);
  });

  test('previews whom a rule shuts out and lets in, and saves what shuts out only if that is meant', async () => {
    const { tab, person, url, id, readStored } = await openRule(
      'claims.email_verified && claims.email.endsWith("@example.com")',
    );
    await ruleOf(tab).fill('claims.email.startsWith("m")');
    await press(tab, 'Preview');
    await seeHeading(tab, 'Nobody to try it on yet');
    await press(tab, 'Undo');

    expect(await signInAs({ url, ssoConfigurationId: id, name: 'alice' })).toBe(true);
    expect(await signInAs({ url, ssoConfigurationId: id, name: 'bob' })).toBe(true);
    expect(await signInAs({ url, ssoConfigurationId: id, name: 'mallory' })).toBe(false);
    await ruleOf(tab).fill('!claims.email.startsWith("b")');
    await press(tab, 'Preview');
    await seeHeading(tab, 'It would shut out one person');
    await seeHeading(tab, 'Would be shut out (1)');
    const preview = await tab.locator('.notice.warn').innerText();
    expect(preview).toContain('b***@example.com');
    expect(preview).toContain('claims.email.startsWith("b")');
    expect(await findBarriers(tab)).toEqual([]);
    expect(await sticksOut(tab)).toBe(false);

    await press(tab, 'Save the rule');
    await seeHeading(tab, 'This would shut out a person');
    expect(await readStored()).not.toContain('startsWith');
    expect(await findBarriers(tab)).toEqual([]);
    await press(tab, 'Leave it as it is');
    await press(tab, 'Save the rule');
    await press(tab, 'Save anyway');
    await tab.getByText('Saved. It decides from the next sign-in on.').waitFor();
    expect(await readStored()).toBe('!claims.email.startsWith("b")');
    expect(await signInAs({ url, ssoConfigurationId: id, name: 'bob' })).toBe(false);
    expect(person.complaints).toEqual([]);
  });

  test('takes the claims of a real attempt, whole, here or by its link', async () => {
    const { tab, person, url, id } = await openRule('claims.email.startsWith("a")');
    await press(tab, 'Take from a login attempt…');
    await tab.getByText('There is none to take from').waitFor();
    await press(tab, 'Cancel');

    expect(await signInAs({ url, ssoConfigurationId: id, name: 'alice' })).toBe(true);
    expect(await signInAs({ url, ssoConfigurationId: id, name: 'bob' })).toBe(false);
    await tab.reload();
    await press(tab, 'Take from a login attempt…');
    await tab.getByRole('button', { name: 'a***@example.com, let in' }).waitFor();
    expect(await findBarriers(tab)).toEqual([]);
    await tab.getByRole('button', { name: 'b***@example.com, refused' }).click();
    await seeHeading(tab, 'A person with these claims is shut out');
    const sample = await sampleOf(tab).innerText();
    expect(sample).toContain('"email": "bob@example.com"');
    expect(sample).toContain('"sub": "bob"');
    await ruleOf(tab).fill('claims.email == "bob@example.com" && claims.email_verified');
    await seeHeading(tab, 'A person with these claims gets in');
    await press(tab, 'Undo');
    await press(tab, 'Back to the example');
    expect(await sampleOf(tab).innerText()).toContain('Alice Example');

    await tab.goto(`${url}/attempts?outcome=refused`);
    await tab.getByText('Why, and what to do').click();
    await tab.getByRole('link', { name: 'try another rule on this attempt' }).click();
    await tab.getByText('These came in a real login attempt').waitFor();
    expect(await sampleOf(tab).innerText()).toContain('"email": "bob@example.com"');
    expect(person.complaints).toEqual([]);
  });

  test('is not left with a rule that is not saved without a question', async () => {
    const { tab, person, url, id } = await openRule();
    const page = `${url}/configurations/${id}/rule`;
    const answers: boolean[] = [];
    const asked: string[] = [];
    tab.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void (answers.shift() === true ? dialog.accept() : dialog.dismiss());
    });
    const leave = tab.getByRole('navigation').getByRole('link', { name: 'Domains' });
    const seeDomains = (): Promise<void> =>
      tab.getByRole('heading', { level: 1, name: 'Domains' }).waitFor();
    // What is not changed is left without a question, also by going back.
    await leave.click();
    await seeDomains();
    await tab.goBack();
    await ruleOf(tab).fill('false');
    await tab.getByRole('button', { name: 'Undo' }).waitFor();
    expect(asked).toEqual([]);

    await leave.click();
    await tab.getByRole('button', { name: 'Sign out' }).click();
    for (const step of ['history.forward()', 'history.back()']) {
      const before = asked.length;
      await tab.evaluate(step);
      await expect.poll(() => asked.length).toBe(before + 1);
      await tab.waitForURL(page);
    }
    expect(asked).toEqual(['confirm', 'confirm', 'confirm', 'confirm']);
    expect(await ruleOf(tab).innerText()).toBe('false');

    asked.length = 0;
    answers.push(true);
    await leave.click();
    await seeDomains();
    expect(asked).toEqual(['confirm']);
    await tab.goBack();
    await ruleOf(tab).waitFor();
    expect(await ruleOf(tab).innerText()).toBe(RULE);

    // The browser's own question, at leaving the console.
    await ruleOf(tab).click();
    await ruleOf(tab).fill('false');
    await tab.getByRole('button', { name: 'Undo' }).waitFor();
    asked.length = 0;
    answers.push(true);
    await tab.goto(`${url}/healthz`);
    expect(asked).toEqual(['beforeunload']);
    expect(person.complaints).toEqual([]);
  });
});
