import { describe, expect, test } from 'vitest';
import type { StoreUnderTest } from '../store-contract.ts';
import {
  insertOrganization,
  makeDigest,
  makeDomainVerification,
  makeOrganization,
  makeSsoConfiguration,
  makeToken,
  makeUser,
  queryMembers,
} from '../store-fixtures.ts';

export function describeOrganizations(store: StoreUnderTest): void {
  describe('organizations', () => {
    test('are read as they were written', async () => {
      const organization = await insertOrganization(store(), {
        inviteDomains: ['A.example', 'b.example'],
      });
      expect(await store().findOrganization(organization.id)).toEqual(organization);
      expect(await store().findOrganization('unknown')).toBeUndefined();
    });

    test('make the store no longer empty', async () => {
      expect(await store().isEmpty()).toBe(true);
      await insertOrganization(store());
      expect(await store().isEmpty()).toBe(false);
    });

    test('can be changed, and only the one that is meant', async () => {
      const organization = await insertOrganization(store());
      const other = await insertOrganization(store());
      const changed = {
        ...organization,
        name: 'New name',
        inviteDomains: ['c.example'],
        updatedAt: new Date(5),
      };
      await store().transaction((tx) => tx.updateOrganization(changed));
      expect(await store().findOrganization(organization.id)).toEqual(changed);
      expect(await store().findOrganization(other.id)).toEqual(other);
    });

    test('cannot be made twice under one id', async () => {
      const organization = await insertOrganization(store());
      await expect(
        store().transaction((tx) =>
          tx.insertOrganization(makeOrganization({ id: organization.id })),
        ),
      ).rejects.toMatchObject({ name: 'DomainError', code: 'already_exists' });
    });

    test('are deleted with everything that belongs to them, and nothing else', async () => {
      const owned = await insertOne(store);
      const kept = await insertOne(store);
      await store().transaction((tx) => tx.deleteOrganization(owned.organization.id));

      expect(await readBack(store, owned)).toEqual({
        organization: undefined,
        user: undefined,
        configuration: undefined,
        secret: undefined,
        verification: undefined,
        token: undefined,
        byDigest: undefined,
        members: 0,
      });
      expect(await readBack(store, kept)).toEqual({
        organization: kept.organization,
        user: kept.user,
        configuration: kept.configuration,
        secret: 'secret',
        verification: kept.verification,
        token: kept.token,
        byDigest: { token: kept.token, user: kept.user },
        members: 1,
      });
    });

    test('that do not exist are deleted without complaint', async () => {
      const deleting = store().transaction((tx) => tx.deleteOrganization('unknown'));
      await expect(deleting).resolves.toBeUndefined();
    });
  });
}

/** An organization with one of everything. */
async function insertOne(store: StoreUnderTest) {
  const organization = makeOrganization();
  const user = makeUser(organization.id);
  const configuration = makeSsoConfiguration(organization.id);
  const verification = makeDomainVerification(organization.id);
  const token = makeToken(user.id);
  const digest = makeDigest();
  await store().transaction(async (tx) => {
    await tx.insertOrganization(organization);
    await tx.insertUser(user);
    await tx.insertSsoConfiguration(configuration, 'secret');
    await tx.insertDomainVerification(verification);
    await tx.insertPersonalAccessToken(token, digest);
  });
  return { organization, user, configuration, verification, token, digest };
}

async function readBack(store: StoreUnderTest, one: Awaited<ReturnType<typeof insertOne>>) {
  const { organization, user, configuration, verification, token, digest } = one;
  return {
    organization: await store().findOrganization(organization.id),
    user: await store().findUser(user.id),
    configuration: await store().findSsoConfiguration(configuration.id),
    secret: await store().readClientSecret(configuration.id),
    verification: await store().findDomainVerification(verification.id),
    token: await store().findPersonalAccessToken(token.id),
    byDigest: await store().findTokenByDigest(digest),
    members: await store().countMembers(queryMembers(organization.id)),
  };
}
