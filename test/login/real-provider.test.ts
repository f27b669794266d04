import { describe, expect, it, onTestFinished } from 'vitest';

import type { Answer, Browser } from './create-browser.ts';
import { PUBLIC_URL, startLoginHarness } from './start-login-harness.ts';
import type { LoginHarness } from './start-login-harness.ts';
import { signInAtOidcProvider } from '../support/sign-in-at-oidc-provider.ts';
import { startOidcProvider } from '../support/start-oidc-provider.ts';

async function startAtRealProvider(): Promise<{
  readonly harness: LoginHarness;
  readonly signInAs: (account: string) => Promise<{ answer: Answer; browser: Browser }>;
}> {
  const harness = await startLoginHarness();
  const redirectUris = [`${PUBLIC_URL}/auth/oidc/callback/${harness.organizationId}`];
  const provider = await startOidcProvider({ redirectUris });
  onTestFinished(() => provider.stop());
  const { issuer, clientId, clientSecret } = provider;
  const secretOrigin = new URL(issuer).origin;
  const configuration = { ...harness.configuration, issuerUrl: issuer, clientId, secretOrigin };
  await harness.change((tx) =>
    tx.updateSsoConfiguration(
      {
        ...configuration,
        emailDomains: ['example.com'],
        claimsExpression: 'claims.email_verified && claims.email.endsWith("@example.com")',
      },
      clientSecret,
    ),
  );
  return {
    harness,
    async signInAs(account) {
      const browser = harness.openBrowser();
      const asked = await browser.open(`/login?email=${account}@example.com`);
      const started = await browser.open(asked.location);
      const callback = await signInAtOidcProvider(started.location, account);
      return { browser, answer: await browser.open(callback.href) };
    },
  };
}

describe('a real OpenID Provider', () => {
  it('lets alice in, from her email to her session and out again', async () => {
    const { signInAs } = await startAtRealProvider();
    const { answer, browser } = await signInAs('alice');
    expect(answer).toMatchObject({ status: 303, location: `${PUBLIC_URL}/signed-in` });
    expect((await browser.open('/')).body).toContain('Alice Example');
    const headers = {
      origin: PUBLIC_URL,
      cookie: [...browser.cookies].map((c) => c.join('=')).join('; '),
    };
    expect(await browser.open('/logout', { method: 'POST', headers })).toMatchObject({
      status: 200,
    });
    expect((await browser.open('/')).body).not.toContain('Alice Example');
  });

  it('brings mallory to a page that helps, and the reason to the admin', async () => {
    const { harness, signInAs } = await startAtRealProvider();
    const { answer, browser } = await signInAs('mallory');
    expect(answer.status).toBe(403);
    expect(browser.cookies.has('claimgate-session')).toBe(false);
    const [attempt] = await harness.listAttempts();
    expect(attempt).toMatchObject({ reason: 'rule_refused', maskedEmail: 'm***@example.com' });
    expect(answer.body).toContain(attempt?.id);
    expect(answer.body).toContain('ask the admin of your organization');
    expect(answer.body).not.toContain('email_verified');
  });

  it('takes a person back who cancelled', async () => {
    const { harness, signInAs } = await startAtRealProvider();
    const { answer } = await signInAs('cancel');
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('Begin again');
    expect(await harness.listAttempts()).toMatchObject([{ reason: 'access_denied' }]);
  });
});
