// Owns all that a login needs, in this process: the routes over a real store, a misbehaving identity provider, a clock
// that only the test moves, and browsers that keep their cookies.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as newId } from 'uuid';
import { onTestFinished } from 'vitest';

import type { IdentityProvider } from '../../src/domain/identity-provider.ts';
import type { LoginAttempt } from '../../src/domain/login-attempt.ts';
import type { User } from '../../src/domain/organization.ts';
import type { Environment, StoreTransaction } from '../../src/domain/ports.ts';
import { createRefusalRecorder } from '../../src/domain/refusal-recorder.ts';
import type { SsoConfiguration } from '../../src/domain/sso-configuration.ts';
import { createEs256Signer } from '../../src/jwt/es256-signer.ts';
import { createMemoryRateLimiter } from '../../src/limits/memory-rate-limiter.ts';
import { createLoginRoutes } from '../../src/login/routes.ts';
import type { LoginRecord, LoginRoutes } from '../../src/login/routes.ts';
import { createConfigurationChecker } from '../../src/oidc/configuration-checker.ts';
import { createGuardedFetch } from '../../src/oidc/guarded-fetch.ts';
import { createOpenidProviderClient } from '../../src/oidc/openid-provider-client.ts';
import { loadOrCreateKeyFile } from '../../src/store/key-file.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import {
  makeDomainVerification,
  makeOrganization,
  makeSsoConfiguration,
  makeUser,
} from '../store/store-fixtures.ts';
import { startMisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import type { MisbehavingIdp } from '../support/start-misbehaving-idp.ts';
import { createBrowser } from './create-browser.ts';
import type { Answer, Browser } from './create-browser.ts';

export const PUBLIC_URL = 'http://localhost:8080';
export const APP_ORIGIN = 'https://app.example.net';

export interface LoginHarness {
  readonly env: Environment;
  readonly routes: LoginRoutes;
  /** What the log would have been told. */
  readonly records: readonly LoginRecord[];
  readonly idp: MisbehavingIdp;
  /** Has proved `example.com`. */
  readonly organizationId: string;
  /** Of `example.com`, at the identity provider. */
  readonly configuration: SsoConfiguration;
  readonly openBrowser: () => Browser;
  /** The whole way in: resolves to the callback's answer. */
  readonly signIn: (browser: Browser, configuration?: SsoConfiguration) => Promise<Answer>;
  readonly change: (work: (tx: StoreTransaction) => Promise<void>) => Promise<void>;
  readonly addConfiguration: (
    idp: MisbehavingIdp,
    given?: Partial<SsoConfiguration>,
  ) => Promise<SsoConfiguration>;
  readonly addUser: (given?: Partial<User>) => Promise<User>;
  readonly listUsers: () => Promise<readonly User[]>;
  /** Newest first. */
  readonly listAttempts: () => Promise<readonly LoginAttempt[]>;
  readonly moveClock: (ms: number) => void;
}

export interface LoginHarnessOptions {
  readonly env?: Partial<Environment>;
  readonly interfere?: (provider: IdentityProvider) => IdentityProvider;
  readonly configuration?: Partial<SsoConfiguration>;
  /** Of the organization; `example.com` unless given. */
  readonly provenDomains?: readonly string[];
}

/** Ends with the test. */
export async function startLoginHarness(options: LoginHarnessOptions = {}): Promise<LoginHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-login-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = await openSqliteStore({
    file: join(folder, 'claimgate.db'),
    keyring: await loadOrCreateKeyFile(join(folder, 'claimgate.key')),
  });
  onTestFinished(() => store.close());
  let skew = 0;
  const now = () => new Date(Date.now() + skew);
  const guarded = createGuardedFetch({ allowHttp: true, allowPrivate: true });
  onTestFinished(() => guarded.close());
  const provider = createOpenidProviderClient({ guarded, now });
  const env: Environment = {
    store,
    dns: { resolveTxt: async () => [] },
    signer: createEs256Signer(),
    identityProvider: options.interfere?.(provider) ?? provider,
    configurationChecker: createConfigurationChecker({ guarded, now }),
    rateLimiter: createMemoryRateLimiter(),
    refusals: createRefusalRecorder({ store, now, newId }, (error) => {
      throw error;
    }),
    now,
    newId,
    randomBytes,
    publicUrl: PUBLIC_URL,
    allowHttpIssuers: true,
    returnToOrigins: [APP_ORIGIN],
    sessionLifetime: { idleMs: 8 * 3_600_000, absoluteMs: 24 * 3_600_000 },
    attemptRetention: { claimsPerConfiguration: 200, maxAgeMs: 30 * 24 * 3_600_000 },
    auditRetention: { maxAgeMs: 365 * 24 * 3_600_000, signInMaxAgeMs: 7 * 24 * 3_600_000 },
    ...options.env,
  };
  const records: LoginRecord[] = [];
  const routes = createLoginRoutes(env, {
    allowedOrigins: [APP_ORIGIN],
    observe: (record) => records.push(record),
  });
  const idp = await startIdp({ now: () => now().getTime() });
  const organization = makeOrganization();
  await store.transaction(async (tx) => {
    await tx.insertOrganization(organization);
    for (const domain of options.provenDomains ?? ['example.com']) {
      await tx.insertDomainVerification(
        makeDomainVerification(organization.id, {
          domain,
          state: 'verified',
          verifiedAt: new Date(),
        }),
      );
    }
  });

  const harness: Omit<LoginHarness, 'configuration'> = {
    env,
    routes,
    records,
    idp,
    organizationId: organization.id,
    openBrowser: () => createBrowser(routes, env.publicUrl),
    async signIn(browser, configuration = added) {
      const started = await browser.open(`/login/${configuration.id}`);
      const response = await fetch(started.location, { redirect: 'manual' });
      return browser.open(response.headers.get('location') ?? '');
    },
    change: (work) => store.transaction(work),
    async addConfiguration(at, given) {
      const configuration = makeSsoConfiguration(organization.id, {
        clientId: at.clientId,
        issuerUrl: at.issuer,
        displayName: 'Example SSO',
        ...given,
      });
      await store.transaction((tx) => tx.insertSsoConfiguration(configuration, at.clientSecret));
      return configuration;
    },
    async addUser(given) {
      const user = makeUser(organization.id, given);
      await store.transaction((tx) => tx.insertUser(user));
      return user;
    },
    async listUsers() {
      const filter = { search: '', statuses: [], roles: [], userIds: [] };
      const sort = { field: 'joined', descending: false } as const;
      const page = await store.listMembers(
        { organizationId: organization.id, filter, sort },
        { size: 100, after: undefined },
      );
      return page.rows;
    },
    async listAttempts() {
      const page = { size: 100, after: undefined };
      return (await store.listLoginAttempts({ organizationId: organization.id }, page)).rows;
    },
    moveClock(ms) {
      skew += ms;
    },
  };
  const added = await harness.addConfiguration(idp, options.configuration);
  return { ...harness, configuration: added };
}

/** Ends with the test. */
export async function startIdp(
  options: Parameters<typeof startMisbehavingIdp>[0] = {},
): Promise<MisbehavingIdp> {
  const idp = await startMisbehavingIdp(options);
  onTestFinished(() => idp.stop());
  return idp;
}
