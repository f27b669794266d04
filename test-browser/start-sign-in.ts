// Owns all that people sign in to in this suite: the real server and a real identity provider, with an organization
// that has proved example.com by DNS.
import { createClient } from '@connectrpc/connect';
import { onTestFinished } from 'vitest';

import { LoginAttemptService } from '../gen/claimgate/v1/login_attempt_pb.ts';
import type { LoginAttempt } from '../gen/claimgate/v1/login_attempt_pb.ts';
import { createClaimgateClient, createClaimgateTransport } from '../src/client/node.ts';
import { startClaimgate } from '../test/support/start-claimgate.ts';
import { startDnsServer } from '../test/support/start-dns-server.ts';
import { startOidcProvider } from '../test/support/start-oidc-provider.ts';
import { serveProductPage } from './serve-product-page.ts';

export interface SignIn {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** Where a product's page is whose origin is allowed. It is of the same site, so our cookie travels. */
  readonly productUrl: string;
  /** The same page on an origin that nobody allowed: of the same site, and of another. */
  readonly strangerUrls: readonly string[];
  /** A further SSO configuration, at an identity provider of its own. */
  readonly addConfiguration: (displayName: string) => Promise<void>;
  /** As the admin sees them: newest first. */
  readonly listLoginAttempts: () => Promise<readonly LoginAttempt[]>;
}

const RULE = 'claims.email_verified && claims.email.endsWith("@example.com")';

/** Ends with the test. */
export async function startSignIn(): Promise<SignIn> {
  const dns = await startDnsServer();
  onTestFinished(() => dns.stop());
  const product = await serveProductPage();
  const stranger = await serveProductPage();
  const productUrl = `http://127.0.0.1:${product.port}`;
  const server = await startClaimgate({
    CLAIMGATE_DNS_SERVERS: dns.address,
    CLAIMGATE_ALLOWED_ORIGINS: productUrl,
    CLAIMGATE_RETURN_TO_ORIGINS: productUrl,
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  });
  onTestFinished(() => server.stop());
  const { url, token } = server;
  for (const page of [product, stranger]) page.ask(url);

  const access = { baseUrl: url, token };
  const { organizations } = createClaimgateClient(access);
  const loginAttempts = createClient(LoginAttemptService, createClaimgateTransport(access));
  const { organization } = await organizations.createOrganization({ name: 'Example Inc.' });
  const organizationId = organization?.id ?? '';
  const { domainVerification: proof } = await organizations.createDomainVerification({
    organizationId,
    domain: 'example.com',
  });
  dns.setTxt('_claimgate-challenge.example.com', [
    `claimgate-verification=${proof?.verificationToken ?? ''}`,
  ]);
  await organizations.verifyDomain({ domainVerificationId: proof?.id ?? '' });

  async function addConfiguration(displayName: string): Promise<void> {
    // Under another name than the server, so that the browser sees another site.
    const idp = await startOidcProvider({
      hostname: 'localhost',
      redirectUris: [`${url}/auth/oidc/callback/${organizationId}`],
    });
    onTestFinished(() => idp.stop());
    await organizations.createSSOConfiguration({
      organizationId,
      displayName,
      issuerUrl: idp.issuer,
      clientId: idp.clientId,
      clientSecret: idp.clientSecret,
      emailDomains: ['example.com'],
      claimsExpression: RULE,
    });
  }
  await addConfiguration('Example SSO');

  return {
    url,
    productUrl,
    strangerUrls: [`http://127.0.0.1:${stranger.port}`, `http://localhost:${stranger.port}`],
    addConfiguration,
    async listLoginAttempts() {
      return (await loginAttempts.listLoginAttempts({ organizationId })).loginAttempts;
    },
  };
}
