// Owns what an admin of the console has before them: the real server, a real identity provider, and the operator's token.
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

import { createClaimgateClient } from '../src/client/node.ts';
import type { ClaimgateClient } from '../src/client/node.ts';
import { startClaimgate } from '../test/support/start-claimgate.ts';
import { startDnsServer } from '../test/support/start-dns-server.ts';
import type { StartedDnsServer } from '../test/support/start-dns-server.ts';
import { startOidcProvider } from '../test/support/start-oidc-provider.ts';
import type { OidcProvider } from '../test/support/start-oidc-provider.ts';
import { startPerson } from './open-tab.ts';
import type { Person } from './open-tab.ts';

export interface StartedConsole {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** The operator's. */
  readonly token: string;
  /** The operator's. */
  readonly organizationId: string;
  /** Of the server's data. */
  readonly folder: string;
  /** Under another name than the server, so that the browser sees another site. */
  readonly idp: OidcProvider;
  readonly dns: StartedDnsServer;
  readonly client: ClaimgateClient;
}

/** Ends with the test. */
export async function startConsole(): Promise<StartedConsole> {
  const dns = await startDnsServer();
  onTestFinished(() => dns.stop());
  const server = await startClaimgate({
    CLAIMGATE_DNS_SERVERS: dns.address,
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  });
  onTestFinished(() => server.stop());
  const { url, token, organizationId, folder } = server;
  const idp = await startOidcProvider({
    hostname: 'localhost',
    redirectUris: [`${url}/auth/oidc/callback/${organizationId}`],
  });
  onTestFinished(() => idp.stop());
  const client = createClaimgateClient({ baseUrl: url, token });
  return { url, token, organizationId, folder, idp, dns, client };
}

/** A tab at the path, signed in with the token. */
export async function openConsole(
  browser: Browser,
  { url, token }: Pick<StartedConsole, 'url' | 'token'>,
  path = '/',
): Promise<{ readonly person: Person; readonly tab: Page }> {
  const person = await startPerson(browser);
  const tab = await person.openTab();
  await tab.goto(`${url}${path}`);
  await tab.getByLabel('Personal access token').fill(token);
  await tab.getByRole('button', { name: 'Use the token' }).click();
  await tab.getByRole('button', { name: 'Sign out' }).waitFor();
  return { person, tab };
}

/** Proves the domain, and stores a configuration of it that is on. Resolves to its id. */
export async function storeConfiguration(
  { client, dns, idp, organizationId }: StartedConsole,
  given: { readonly displayName?: string; readonly claimsExpression?: string } = {},
): Promise<string> {
  const { organizations } = client;
  const domain = 'example.com';
  const { domainVerification: proof } = await organizations.createDomainVerification({
    organizationId,
    domain,
  });
  dns.setTxt(`_claimgate-challenge.${domain}`, [
    `claimgate-verification=${proof?.verificationToken ?? ''}`,
  ]);
  await organizations.verifyDomain({ domainVerificationId: proof?.id ?? '' });
  const { ssoConfiguration } = await organizations.createSSOConfiguration({
    organizationId,
    displayName: 'Example SSO',
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    emailDomains: [domain],
    ...given,
  });
  return ssoConfiguration?.id ?? '';
}
