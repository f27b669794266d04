import { describe, expect, test } from 'vitest';
import type { PendingLogin } from '../../../src/domain/pending-login.ts';
import { insertLoginHome, makePendingLogin } from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { makeDigest, makeSsoConfiguration, NOW } from '../store-fixtures.ts';

export function describePendingLogins(store: StoreUnderTest): void {
  const insert = async (pending: PendingLogin): Promise<PendingLogin> => {
    await store().transaction((tx) => tx.insertPendingLogin(pending));
    return pending;
  };
  const take = (stateDigest: string, now = NOW) =>
    store().transaction((tx) => tx.takePendingLogin(stateDigest, now));

  describe('pending logins', () => {
    test('are taken as they were written, and are told from then on to be replayed', async () => {
      const { configuration } = await insertLoginHome(store(), { revision: 7 });
      const pending = await insert(makePendingLogin(configuration));
      expect(await take(pending.stateDigest)).toEqual({ pending, replayed: false });
      expect(await take(pending.stateDigest)).toEqual({ pending, replayed: true });
      expect(await take(pending.stateDigest)).toEqual({ pending, replayed: true });
    });

    test('hold an empty email and address as they are', async () => {
      const { configuration } = await insertLoginHome(store());
      const given = { email: '', returnTo: '' };
      const pending = await insert(makePendingLogin(configuration, given));
      expect(await take(pending.stateDigest)).toEqual({ pending, replayed: false });
    });

    test('are found by their own state alone', async () => {
      const { configuration } = await insertLoginHome(store());
      const [first, second] = [
        await insert(makePendingLogin(configuration)),
        await insert(makePendingLogin(configuration)),
      ];
      expect(await take(makeDigest())).toBeUndefined();
      expect(await take(first.browserDigest)).toBeUndefined();
      expect(await take(second.stateDigest)).toEqual({ pending: second, replayed: false });
      expect(await take(first.stateDigest)).toEqual({ pending: first, replayed: false });
    });

    test('that many take at once are taken first by one', async () => {
      const { configuration } = await insertLoginHome(store());
      const pending = await insert(makePendingLogin(configuration));
      const taken = await Promise.all(Array.from({ length: 20 }, () => take(pending.stateDigest)));
      expect(taken.filter((each) => each?.replayed === false)).toHaveLength(1);
      expect(taken.filter((each) => each?.replayed === true)).toHaveLength(19);
    });

    test('are not taken by a transaction that fails', async () => {
      const { configuration } = await insertLoginHome(store());
      const pending = await insert(makePendingLogin(configuration));
      const failing = store().transaction(async (tx) => {
        await tx.takePendingLogin(pending.stateDigest, NOW);
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await take(pending.stateDigest)).toMatchObject({ replayed: false });
    });

    test('are told also when they have expired', async () => {
      const { configuration } = await insertLoginHome(store());
      const pending = await insert(makePendingLogin(configuration, { expiresAt: new Date(1) }));
      expect(await take(pending.stateDigest)).toEqual({ pending, replayed: false });
    });

    test('are unique by state', async () => {
      const { configuration } = await insertLoginHome(store());
      const { stateDigest } = await insert(makePendingLogin(configuration));
      const second = insert(makePendingLogin(configuration, { stateDigest }));
      await expect(second).rejects.toMatchObject({ name: 'DomainError', code: 'already_exists' });
    });

    test('of a configuration that is not there are refused as aborted', async () => {
      const orphan = insert(makePendingLogin(makeSsoConfiguration('unknown')));
      await expect(orphan).rejects.toMatchObject({ name: 'DomainError', code: 'aborted' });
    });

    test('go with their configuration, and those of others stay', async () => {
      const { configuration } = await insertLoginHome(store());
      const { configuration: other } = await insertLoginHome(store());
      const pending = await insert(makePendingLogin(configuration));
      const kept = await insert(makePendingLogin(other));
      await store().transaction((tx) => tx.deleteSsoConfiguration(configuration.id));
      expect(await take(pending.stateDigest)).toBeUndefined();
      expect(await take(kept.stateDigest)).toMatchObject({ replayed: false });
    });
  });
}
