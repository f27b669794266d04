// A link on another site that would put a signed-in browser into another organization.
import { describe, expect, it } from 'vitest';

import { makeOrganization, makeSsoConfiguration } from '../store/store-fixtures.ts';
import { startLoginHarness } from './start-login-harness.ts';

async function signInThenVisitAnother(site: string) {
  const harness = await startLoginHarness();
  const organization = makeOrganization();
  const other = makeSsoConfiguration(organization.id, {
    issuerUrl: harness.idp.issuer,
    clientId: harness.idp.clientId,
    displayName: 'Evil & Co',
  });
  await harness.change(async (tx) => {
    await tx.insertOrganization(organization);
    await tx.insertSsoConfiguration(other, harness.idp.clientSecret);
  });
  const browser = harness.openBrowser();
  await harness.signIn(browser);
  const visit = (id: string, from: string) => {
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    return browser.open(`/login/${id}`, { headers: { cookie, 'sec-fetch-site': from } });
  };
  return { harness, browser, other, visit, answer: await visit(other.id, site) };
}

describe('a link into another organization', () => {
  it('on another site asks first, and goes on from our own page', async () => {
    const { answer, other, visit } = await signInThenVisitAnother('cross-site');
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('Sign in to another organization?');
    expect(answer.body).toContain('Evil &amp; Co');
    expect(answer.body).toContain(`/login/${other.id}`);
    expect((await visit(other.id, 'same-origin')).status).toBe(303);
  });

  it.each(['same-origin', 'same-site', 'none'])('from %s goes on at once', async (site) => {
    expect((await signInThenVisitAnother(site)).answer.status).toBe(303);
  });

  it('of the same organization goes on at once', async () => {
    const { harness, visit } = await signInThenVisitAnother('cross-site');
    expect((await visit(harness.configuration.id, 'cross-site')).status).toBe(303);
  });

  it('goes on at once for who is not signed in', async () => {
    const { browser, other, visit } = await signInThenVisitAnother('none');
    browser.cookies.clear();
    expect((await visit(other.id, 'cross-site')).status).toBe(303);
  });
});
