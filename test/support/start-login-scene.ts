// Owns a real server with a configuration that people can sign in through, for tests that look at what is told of it.
import { openBackstage } from './open-backstage.ts';
import { callJson } from './call-json.ts';
import { createFetchBrowser } from './fetch-browser.ts';
import type { FetchBrowser } from './fetch-browser.ts';
import { makeDomainVerification } from '../store/store-fixtures.ts';
import { startClaimgate } from './start-claimgate.ts';
import type { StartedClaimgate } from './start-claimgate.ts';
import { startMisbehavingIdp } from './start-misbehaving-idp.ts';
import type { MisbehavingIdp } from './start-misbehaving-idp.ts';

export interface LoginScene {
  readonly claimgate: StartedClaimgate;
  readonly idp: MisbehavingIdp;
  readonly ssoConfigurationId: string;
  /** To the identity provider and back, with these headers on both of our requests: the callback's answer. */
  readonly signIn: (headers?: Readonly<Record<string, string>>) => Promise<SignedIn>;
  readonly stop: () => Promise<void>;
}

export interface SignedIn {
  readonly browser: FetchBrowser;
  readonly status: number;
  /** The callback's path and query, which hold the code and the state. */
  readonly callback: string;
}

export async function startLoginScene(
  environment: Record<string, string> = {},
): Promise<LoginScene> {
  const idp = await startMisbehavingIdp();
  const claimgate = await startClaimgate({
    CLAIMGATE_ALLOW_HTTP_ISSUERS: 'true',
    CLAIMGATE_ALLOW_PRIVATE_ISSUERS: 'true',
    ...environment,
  });
  const { organizationId, token, url } = claimgate;
  const backstage = await openBackstage(claimgate);
  const proof = makeDomainVerification(organizationId, { state: 'verified' });
  await backstage.store.transaction((tx) => tx.insertDomainVerification(proof));
  await backstage.close();
  const { body } = await callJson(
    url,
    'OrganizationService/CreateSSOConfiguration',
    {
      organizationId,
      clientId: idp.clientId,
      clientSecret: idp.clientSecret,
      issuerUrl: idp.issuer,
      emailDomains: ['example.com'],
    },
    { token },
  );
  const ssoConfigurationId = String((body['ssoConfiguration'] as { id?: string }).id);
  return {
    claimgate,
    idp,
    ssoConfigurationId,
    async signIn(headers = {}) {
      const browser = createFetchBrowser();
      const begun = await browser.open(url, `/login/${ssoConfigurationId}`, { headers });
      const answer = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
      const { pathname, search } = new URL(answer.headers.get('location') ?? '');
      const callback = pathname + search;
      const { status } = await browser.open(url, callback, { headers });
      return { browser, status, callback };
    },
    async stop() {
      await claimgate.stop();
      await idp.stop();
    },
  };
}
