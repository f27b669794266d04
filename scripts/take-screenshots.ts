/**
 * Owns `npm run screenshots`: the pictures of the console that the README shows, taken of the real one in the system's
 * Chromium. It runs the demo's organization, in which one person has been refused and another is about to be.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

import { OrganizationRole } from '../gen/gitpod/v1/organization_pb.ts';
import { set } from '../src/client/change.ts';
import { createClaimgateClient } from '../src/client/node.ts';
import { updateSsoConfiguration } from '../src/client/update-sso-configuration.ts';
import { launchChromium } from '../test-browser/launch-chromium.ts';
import { signInAs } from '../test-browser/sign-in-as.ts';
import { startDemo } from './demo/start-demo.ts';
import type { Demo } from './demo/start-demo.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'images');
const WIDTH = 1200;
/** Of one picture, in bytes: they are kept in the repository, and everybody who reads the README fetches them. */
const MAX_BYTES = 150_000;

const FIRST_RULE = 'claims.email_verified && claims.email.endsWith("@example.com")';
const NEW_RULE = `${FIRST_RULE}\n  && "engineering" in claims.groups`;

const SAMPLE = `{
  "email": "bob@example.com",
  "email_verified": true,
  "name": "Bob Example",
  "groups": ["sales"]
}`;

await mkdir(FOLDER, { recursive: true });
await using started = new AsyncDisposableStack();
const demo = await startDemo({ port: undefined, keep: undefined });
started.defer(() => demo.stop());
await prepare(demo);
const browser = await launchChromium();
started.defer(() => browser.close());
const context = await browser.newContext({
  viewport: { width: WIDTH, height: 800 },
  colorScheme: 'light',
  reducedMotion: 'reduce',
  locale: 'en-GB',
});
const tab = await context.newPage();
await signInAsAdmin(tab, demo);
await takeSetUp(tab, demo);
await takeCheck(tab, demo);
await takeRule(tab, demo);
await takeAttempts(tab, demo);

/** Alice looks after single sign-on; Bob has got in so far, and Mallory has not. */
async function prepare({ url, token, organizationId, ssoConfigurationId }: Demo): Promise<void> {
  const client = createClaimgateClient({ baseUrl: url, token });
  await updateSsoConfiguration(client, ssoConfigurationId, {
    displayName: set('Example Inc.'),
    claimsExpression: set(FIRST_RULE),
  });
  for (const name of ['alice', 'mallory', 'bob']) await signInAs({ url, ssoConfigurationId, name });
  const { members } = await client.organizations.listMembers({ organizationId });
  const alice = members.find(({ email }) => email === 'alice@example.com');
  await client.organizations.setRole({
    organizationId,
    userId: alice?.userId ?? '',
    role: OrganizationRole.ADMIN,
  });
}

async function signInAsAdmin(page: Page, { url }: Demo): Promise<void> {
  await page.goto(url);
  await page.getByRole('textbox', { name: 'Work email' }).fill('alice@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Configurations' }).waitFor();
}

async function takeSetUp(page: Page, { url }: Demo): Promise<void> {
  await page.goto(`${url}/configurations/new/okta`);
  await page.getByRole('heading', { level: 1, name: 'Set up Okta' }).waitFor();
  await take(page, 'console-set-up');
}

async function takeCheck(page: Page, { url, ssoConfigurationId }: Demo): Promise<void> {
  await page.goto(`${url}/configurations/${ssoConfigurationId}`);
  await page.getByRole('button', { name: 'Check now' }).click();
  const report = page.getByRole('region', { name: 'Check' });
  await report.getByText('Its keys can be used').waitFor();
  await report.evaluate((element) => {
    element.scrollIntoView();
    scrollBy(0, -20);
  });
  await take(page, 'console-check');
}

async function takeRule(page: Page, { url, ssoConfigurationId }: Demo): Promise<void> {
  await page.goto(`${url}/configurations/${ssoConfigurationId}/rule`);
  await page.getByRole('textbox', { name: 'Rule, a CEL expression' }).fill(NEW_RULE);
  await page.getByRole('textbox', { name: 'Sample claims' }).fill(SAMPLE);
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByRole('heading', { name: 'Would be shut out' }).waitFor();
  await page.getByRole('heading', { name: 'A person with these claims is shut out' }).waitFor();
  await take(page, 'console-rule', 900);
}

async function takeAttempts(page: Page, { url }: Demo): Promise<void> {
  await page.goto(`${url}/attempts`);
  await page.getByText('Why, and what to do').click();
  await page.getByText('Attempt id', { exact: true }).waitFor();
  await take(page, 'console-attempts', 1000);
}

async function take(page: Page, name: string, height = 800): Promise<void> {
  await page.setViewportSize({ width: WIDTH, height });
  // Nothing is marked by the pointer or the keyboard.
  await page.mouse.move(0, 0);
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  const { size } = await stat(path);
  process.stdout.write(`docs/images/${name}.png: ${size} bytes\n`);
  if (size > MAX_BYTES) throw new Error(`${path} is too large for a README.`);
}
