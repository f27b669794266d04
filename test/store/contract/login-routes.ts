import { describe, expect, test } from 'vitest';
import type { DomainVerificationState } from '../../../src/domain/domain-verification.ts';
import { insertConfiguration, insertLoginHome } from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertOrganization, makeDomainVerification, NOW } from '../store-fixtures.ts';

export function describeLoginRoutes(store: StoreUnderTest): void {
  const prove = async (
    organizationId: string,
    domain: string,
    state: DomainVerificationState = 'verified',
  ) => {
    const verifiedAt = state === 'verified' ? NOW : undefined;
    const verification = makeDomainVerification(organizationId, { domain, state, verifiedAt });
    await store().transaction((tx) => tx.insertDomainVerification(verification));
    return verification;
  };
  const list = (domain: string) => store().listSsoConfigurationsForLogin(domain);

  describe('SSO configurations for a login', () => {
    test('are those that carry the domain, whole, whatever the case it was written in', async () => {
      const { organizationId, configuration } = await insertLoginHome(store(), {
        emailDomains: ['other.example', 'Example.COM'],
        claims: { email: 'mail' },
        displayName: 'Example',
      });
      await prove(organizationId, 'eXample.com');
      expect(await list('example.com')).toEqual([configuration]);
      expect(
        await store().transaction((tx) => tx.listSsoConfigurationsForLogin('example.com')),
      ).toEqual([configuration]);
    });

    test.each(['com', 'sub.example.com', 'xample.com', 'example.co', 'other.example', '%', ''])(
      'do not come for %j',
      async (domain) => {
        const { organizationId } = await insertLoginHome(store(), {
          emailDomains: ['example.com', 'other.example'],
        });
        await prove(organizationId, 'example.com');
        expect(await list(domain)).toEqual([]);
      },
    );

    test('are only active ones', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      const inactive = await insertConfiguration(store(), organizationId, { state: 'inactive' });
      await prove(organizationId, 'example.com');
      expect(await list('example.com')).toEqual([configuration]);
      const switched = { ...inactive, state: 'active' as const };
      await store().transaction(async (tx) => {
        await tx.updateSsoConfiguration(switched);
        await tx.updateSsoConfiguration({ ...configuration, state: 'inactive' });
      });
      expect(await list('example.com')).toEqual([switched]);
    });

    test('are only of organizations that have verified the domain, and only while they have', async () => {
      const home = await insertLoginHome(store());
      const squatter = await insertLoginHome(store());
      const pending = await insertLoginHome(store());
      const elsewhere = await insertLoginHome(store());
      const proof = await prove(home.organizationId, 'example.com');
      await prove(pending.organizationId, 'example.com', 'pending');
      await prove(elsewhere.organizationId, 'elsewhere.example');
      expect(squatter.configuration.emailDomains).toEqual(home.configuration.emailDomains);
      expect(await list('example.com')).toEqual([home.configuration]);
      await store().transaction((tx) => tx.deleteDomainVerification(proof.id));
      expect(await list('example.com')).toEqual([]);
    });

    test('are of all organizations that share a domain, oldest first', async () => {
      const homes = [await insertLoginHome(store()), await insertLoginHome(store())];
      const configurations = homes.map(({ configuration }) => configuration);
      for (const { organizationId } of homes) {
        await prove(organizationId, 'example.com');
        configurations.push(await insertConfiguration(store(), organizationId));
      }
      expect(await list('example.com')).toEqual(configurations);
    });

    test('follow a change of domains', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      await prove(organizationId, 'example.com');
      await prove(organizationId, 'new.example');
      const changed = { ...configuration, emailDomains: ['New.example'] };
      await store().transaction((tx) => tx.updateSsoConfiguration(changed));
      expect(await list('example.com')).toEqual([]);
      expect(await list('new.example')).toEqual([changed]);
      await store().transaction((tx) => tx.deleteSsoConfiguration(configuration.id));
      expect(await list('new.example')).toEqual([]);
    });

    test('are one each where a configuration names the domain twice', async () => {
      const emailDomains = ['example.com', 'EXAMPLE.com'];
      const { organizationId, configuration } = await insertLoginHome(store(), { emailDomains });
      await prove(organizationId, 'example.com');
      expect(await list('example.com')).toEqual([configuration]);
    });

    test('are 100 at most', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      await prove(organizationId, 'example.com');
      for (let count = 1; count < 103; count += 1)
        await insertConfiguration(store(), organizationId);
      const found = await list('example.com');
      expect(found).toHaveLength(100);
      expect(found[0]).toEqual(configuration);
    });
  });

  describe('whether a domain is verified', () => {
    test('is asked of one organization, whatever the case it was written in', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      await prove(id, 'Example.com');
      await prove(id, 'pending.example', 'pending');
      await prove(other.id, 'other.example');
      const ask = (domain: string) => store().transaction((tx) => tx.isDomainVerified(id, domain));
      expect(await ask('example.com')).toBe(true);
      for (const domain of ['pending.example', 'other.example', 'a.example.com', 'com', '']) {
        expect(await ask(domain)).toBe(false);
      }
    });
  });
}
