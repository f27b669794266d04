import { describe, expect, test } from 'vitest';
import type { SsoConfiguration } from '../../../src/domain/sso-configuration.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertOrganization, makeSsoConfiguration } from '../store-fixtures.ts';

export function describeSsoConfigurations(store: StoreUnderTest): void {
  const insert = async (configuration: SsoConfiguration, secret = 'secret'): Promise<void> =>
    store().transaction((tx) => tx.insertSsoConfiguration(configuration, secret));
  const takenError = {
    name: 'DomainError',
    code: 'already_exists',
    message: expect.stringContaining('issuer_url and client_id'),
  };

  describe('SSO configurations', () => {
    test('are read as they were written, byte for byte', async () => {
      const { id } = await insertOrganization(store());
      const configuration = makeSsoConfiguration(id, {
        clientId: 'Client ID with  spaces, ümlauts and \u{1f511}',
        issuerUrl: 'https://IdP.example.com:443/A/../b/',
        state: 'inactive',
        claims: { email: 'mail', groups: 'https://example.com/groups', ['__proto__']: 'x' },
        emailDomains: ['Example.COM', 'b.example'],
        displayName: 'Single "sign"-on \\ 1',
        additionalScopes: ['groups', 'a:b'],
        claimsExpression: "claims.groups.exists(g, g == 'admins')\n",
        revision: 7,
        updatedAt: new Date(99),
      });
      await insert(configuration);
      expect(await store().findSsoConfiguration(configuration.id)).toEqual(configuration);
      expect(await store().findSsoConfiguration('unknown')).toBeUndefined();
    });

    test('keep their client secret apart, and read it back exactly', async () => {
      const { id } = await insertOrganization(store());
      const configuration = makeSsoConfiguration(id);
      await insert(configuration, 'Gäheim \u{1f511}\n ');
      expect(await store().readClientSecret(configuration.id)).toBe('Gäheim \u{1f511}\n ');
      expect(await store().readClientSecret('unknown')).toBeUndefined();
    });

    test('keep their client secret when they are changed without one', async () => {
      const { id } = await insertOrganization(store());
      const configuration = makeSsoConfiguration(id);
      await insert(configuration, 'first');
      const changed: SsoConfiguration = {
        ...configuration,
        clientId: 'other',
        issuerUrl: 'https://other.example.com',
        state: 'inactive',
        providerType: 'builtin',
        claims: { a: 'b' },
        emailDomains: ['c.example', 'EXAMPLE.com'],
        displayName: 'Other',
        additionalScopes: ['x'],
        claimsExpression: 'true',
        revision: 2,
        updatedAt: new Date(77),
      };
      await store().transaction((tx) => tx.updateSsoConfiguration(changed));
      expect(await store().findSsoConfiguration(configuration.id)).toEqual(changed);
      expect(await store().readClientSecret(configuration.id)).toBe('first');

      await store().transaction((tx) => tx.updateSsoConfiguration(changed, 'second'));
      expect(await store().readClientSecret(configuration.id)).toBe('second');
    });

    test('are unique in their organization by issuer URL and client id together', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      const first = makeSsoConfiguration(id, { clientId: 'c', issuerUrl: 'https://i.example' });
      const second = makeSsoConfiguration(id, { clientId: 'd', issuerUrl: 'https://i.example' });
      await insert(first);
      await insert(second);
      await insert(makeSsoConfiguration(id, { clientId: 'c', issuerUrl: 'https://j.example' }));
      await insert(
        makeSsoConfiguration(other.id, { clientId: 'c', issuerUrl: 'https://i.example' }),
      );

      const { clientId, issuerUrl } = first;
      await expect(insert(makeSsoConfiguration(id, { clientId, issuerUrl }))).rejects.toMatchObject(
        takenError,
      );
      await expect(
        store().transaction((tx) => tx.updateSsoConfiguration({ ...second, clientId })),
      ).rejects.toMatchObject(takenError);
      expect(await store().findSsoConfiguration(second.id)).toEqual(second);
    });

    test('of an organization that is not there are refused as aborted', async () => {
      await expect(insert(makeSsoConfiguration('unknown'))).rejects.toMatchObject({
        name: 'DomainError',
        code: 'aborted',
      });
    });

    test('can be deleted and made again', async () => {
      const { id } = await insertOrganization(store());
      const configuration = makeSsoConfiguration(id);
      await insert(configuration);
      await store().transaction((tx) => tx.deleteSsoConfiguration(configuration.id));
      expect(await store().findSsoConfiguration(configuration.id)).toBeUndefined();
      expect(await store().readClientSecret(configuration.id)).toBeUndefined();
      await store().transaction((tx) => tx.deleteSsoConfiguration(configuration.id));
      await insert(configuration);
    });

    test('may hold an email domain twice in other cases', async () => {
      const { id } = await insertOrganization(store());
      const configuration = makeSsoConfiguration(id, { emailDomains: ['a.example', 'A.example'] });
      await insert(configuration);
      await store().transaction((tx) => tx.updateSsoConfiguration(configuration));
      expect(await store().findSsoConfiguration(configuration.id)).toEqual(configuration);
    });
  });
}
