/** Owns the contract of the Store port (src/domain/ports.ts) as tests: every implementation of it runs this suite. */
import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../../src/domain/ports.ts';
import { describeAuditRecords } from './contract/audit-records.ts';
import { describeDomainVerifications } from './contract/domain-verifications.ts';
import { describeExpiry } from './contract/expiry.ts';
import { describeIdentities } from './contract/identities.ts';
import { describeLoginAttempts } from './contract/login-attempts.ts';
import { describeLoginRoutes } from './contract/login-routes.ts';
import { describeOrganizations } from './contract/organizations.ts';
import { describePages } from './contract/pages.ts';
import { describePendingLogins } from './contract/pending-logins.ts';
import { describeSessions } from './contract/sessions.ts';
import { describeSigningKeys } from './contract/signing-keys.ts';
import { describeSsoConfigurations } from './contract/sso-configurations.ts';
import { describeTokens } from './contract/tokens.ts';
import { describeTransactions } from './contract/transactions.ts';
import { describeTrials } from './contract/trials.ts';
import { describeUsers } from './contract/users.ts';

export interface OpenedStore {
  /** Empty. */
  readonly store: Store;
  /** Closes the store, if the test has not, and removes its database. */
  readonly dispose: () => Promise<void>;
}

/** The store of the running test. */
export type StoreUnderTest = () => Store;

export function describeStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the store on ${name}`, () => {
    let opened: OpenedStore;
    const store: StoreUnderTest = () => opened.store;

    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.dispose());

    describeOrganizations(store);
    describeUsers(store);
    describeSsoConfigurations(store);
    describeDomainVerifications(store);
    describeTokens(store);
    describeSigningKeys(store);
    describePendingLogins(store);
    describeIdentities(store);
    describeLoginRoutes(store);
    describeSessions(store);
    describeLoginAttempts(store);
    describeAuditRecords(store);
    describeExpiry(store);
    describeTrials(store);
    describePages(store);
    describeTransactions(store);
  });
}
