import { describe, expect, test } from 'vitest';
import type { StoreUnderTest } from '../store-contract.ts';
import { makeSigningKey } from '../store-fixtures.ts';

export function describeSigningKeys(store: StoreUnderTest): void {
  describe('signing keys', () => {
    test('are listed newest first, with their private halves', async () => {
      expect(await store().listSigningKeys()).toEqual([]);
      const [old, middle, newest] = [2, 1, 3].map((at) =>
        makeSigningKey({ createdAt: new Date(at) }),
      );
      await store().transaction(async (tx) => {
        await tx.lockSigningKeys();
        for (const key of [old, middle, newest])
          if (key !== undefined) await tx.insertSigningKey(key);
        expect(await tx.listSigningKeys()).toEqual([newest, old, middle]);
      });
      expect(await store().listSigningKeys()).toEqual([newest, old, middle]);
      const published = (await store().listSigningKeys()).map(
        ({ privateKey: _private, ...others }) => others,
      );
      expect(await store().listPublicKeys()).toEqual(published);
    });

    test('can be deleted', async () => {
      const [kept, deleted] = [makeSigningKey(), makeSigningKey()];
      await store().transaction(async (tx) => {
        await tx.insertSigningKey(kept);
        await tx.insertSigningKey(deleted);
      });
      await store().transaction((tx) => tx.deleteSigningKey(deleted.id));
      expect(await store().listSigningKeys()).toEqual([kept]);
    });
  });
}
