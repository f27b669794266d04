/**
 * Owns what the demo consists of, and how it is prepared: as an operator would, through the API. Only its DNS server,
 * its identity provider and two relaxed rules, for plain http and for issuers on this machine, tell it from a real one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';

import { LoginAttemptService } from '../../gen/claimgate/v1/login_attempt_pb.ts';
import { createClaimgateClient, createClaimgateTransport } from '../../src/client/node.ts';
import type { ClaimgateClient } from '../../src/client/node.ts';
import { parseConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { startServer } from '../../src/main.ts';
import { startDnsServer } from '../../test/support/start-dns-server.ts';
import type { StartedDnsServer } from '../../test/support/start-dns-server.ts';
import { startOidcProvider } from '../../test/support/start-oidc-provider.ts';
import type { OidcProvider } from '../../test/support/start-oidc-provider.ts';
import { choosePort } from './choose-port.ts';

const DOMAIN = 'example.com';

/** Lets Alice in. Bob is in another group, and Mallory's address is not verified. */
const RULE =
  'claims.email_verified && claims.email.endsWith("@example.com") && "engineering" in claims.groups';

export interface Demo {
  /** Such as `http://localhost:8080`. */
  readonly url: string;
  readonly issuer: string;
  /** The operator's. */
  readonly token: string;
  readonly organizationId: string;
  readonly ssoConfigurationId: string;
  readonly rule: string;
  /** Holds the database and its key file. */
  readonly folder: string;
  readonly loginAttempts: Client<typeof LoginAttemptService>;
  /** Ends everything that was started, and removes the folder unless it is to be kept. */
  readonly stop: () => Promise<void>;
}

export interface DemoOptions {
  /** 8080 unless given, or a free one when that is taken. */
  readonly port: number | undefined;
  /** Empty or new, and left behind; a temporary one unless given. */
  readonly keep: string | undefined;
}

export async function startDemo(options: DemoOptions): Promise<Demo> {
  await using started = new AsyncDisposableStack();
  const port = await choosePort(options.port);
  const url = `http://localhost:${port}`;
  const folder = await openFolder(options.keep, started);

  const dns = await startDnsServer();
  started.defer(() => dns.stop());

  const token = `demo-${randomBytes(24).toString('base64url')}`;
  const config = parseConfig({
    CLAIMGATE_PORT: String(port),
    CLAIMGATE_PUBLIC_URL: url,
    CLAIMGATE_LOG_LEVEL: 'warn',
    CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, 'claimgate.db')}`,
    CLAIMGATE_BOOTSTRAP_TOKEN: token,
    CLAIMGATE_DNS_SERVERS: dns.address,
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
  });
  const server = await startServer(config, createLogger(config.logLevel));
  started.defer(() => server.stop());

  const access = { baseUrl: server.url, token };
  const client = createClaimgateClient(access);
  const { organization } = await client.organizations.createOrganization({ name: 'Example Inc.' });
  const organizationId = organization?.id ?? '';
  const redirectUris = [`${url}/auth/oidc/callback/${organizationId}`];
  const idp = await startOidcProvider({ redirectUris });
  started.defer(() => idp.stop());
  const ssoConfigurationId = await prepare(client, organizationId, dns, idp);
  const running = started.move();
  return {
    url,
    issuer: idp.issuer,
    token,
    rule: RULE,
    folder,
    organizationId,
    ssoConfigurationId,
    loginAttempts: createClient(LoginAttemptService, createClaimgateTransport(access)),
    stop: () => running.disposeAsync(),
  };
}

async function openFolder(
  keep: string | undefined,
  started: AsyncDisposableStack,
): Promise<string> {
  if (keep === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'claimgate-demo-'));
    started.defer(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }
  const folder = resolve(keep);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new Error(`${folder} is not empty. Name a new folder with --keep.`);
  return folder;
}

/** What an operator does for a new customer. Resolves to the SSO configuration's id. */
async function prepare(
  client: ClaimgateClient,
  organizationId: string,
  dns: StartedDnsServer,
  idp: OidcProvider,
): Promise<string> {
  const { domainVerification: proof } = await client.organizations.createDomainVerification({
    organizationId,
    domain: DOMAIN,
  });
  dns.setTxt(`_claimgate-challenge.${DOMAIN}`, [
    `claimgate-verification=${proof?.verificationToken ?? ''}`,
  ]);
  await client.organizations.verifyDomain({ domainVerificationId: proof?.id ?? '' });
  const { ssoConfiguration } = await client.organizations.createSSOConfiguration({
    organizationId,
    displayName: 'Demo identity provider',
    issuerUrl: idp.issuer,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    emailDomains: [DOMAIN],
    additionalScopes: ['groups'],
    claimsExpression: RULE,
  });
  return ssoConfiguration?.id ?? '';
}
