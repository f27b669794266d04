import { describe, expect, test } from 'vitest';
import type { DomainVerification } from '../../../src/domain/domain-verification.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertOrganization, makeDomainVerification } from '../store-fixtures.ts';

export function describeDomainVerifications(store: StoreUnderTest): void {
  const insert = async (verification: DomainVerification): Promise<void> =>
    store().transaction((tx) => tx.insertDomainVerification(verification));

  describe('domain verifications', () => {
    test('are read as they were written', async () => {
      const { id } = await insertOrganization(store());
      const pending = makeDomainVerification(id);
      await insert(pending);
      expect(await store().findDomainVerification(pending.id)).toEqual(pending);
      expect(await store().findDomainVerification('unknown')).toBeUndefined();
    });

    test('can be verified', async () => {
      const { id } = await insertOrganization(store());
      const pending = makeDomainVerification(id);
      await insert(pending);
      const verified: DomainVerification = {
        ...pending,
        state: 'verified',
        verifiedAt: new Date(123_456),
      };
      await store().transaction((tx) => tx.updateDomainVerification(verified));
      expect(await store().findDomainVerification(pending.id)).toEqual(verified);
    });

    test('are unique in their organization by domain without regard to case', async () => {
      const { id } = await insertOrganization(store());
      const other = await insertOrganization(store());
      await insert(makeDomainVerification(id, { domain: 'Example.com' }));
      await insert(makeDomainVerification(other.id, { domain: 'example.com' }));
      await expect(
        insert(makeDomainVerification(id, { domain: 'eXample.com' })),
      ).rejects.toMatchObject({
        name: 'DomainError',
        code: 'already_exists',
        message: expect.stringContaining('domain verification'),
      });
    });

    test('can be deleted and made again', async () => {
      const { id } = await insertOrganization(store());
      const verification = makeDomainVerification(id);
      await insert(verification);
      await store().transaction((tx) => tx.deleteDomainVerification(verification.id));
      expect(await store().findDomainVerification(verification.id)).toBeUndefined();
      await insert(verification);
    });
  });
}
