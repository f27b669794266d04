import { describe, expect, test } from 'vitest';
import type { User } from '../../../src/domain/organization.ts';
import type { PersonalAccessToken } from '../../../src/domain/token.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import {
  insertOrganization,
  insertUsers,
  makeDigest,
  makeToken,
  makeUser,
} from '../store-fixtures.ts';

export function describeTokens(store: StoreUnderTest): void {
  const insertUser = async (given: Partial<User> = {}): Promise<User> => {
    const { id } = await insertOrganization(store());
    const user = makeUser(id, given);
    await insertUsers(store(), [user]);
    return user;
  };
  const insert = async (token: PersonalAccessToken, digest = makeDigest()): Promise<void> =>
    store().transaction((tx) => tx.insertPersonalAccessToken(token, digest));

  describe('personal access tokens', () => {
    test('are read as they were written', async () => {
      const user = await insertUser();
      const token = makeToken(user.id, {
        creatorId: 'an operator from elsewhere',
        readOnly: true,
        expiresAt: new Date(5000),
        lastUsedAt: new Date(4000),
      });
      await insert(token);
      expect(await store().findPersonalAccessToken(token.id)).toEqual(token);
      expect(await store().findPersonalAccessToken('unknown')).toBeUndefined();
    });

    test('are found by digest together with their user, whatever their state', async () => {
      const user = await insertUser({
        status: 'suspended',
        operator: true,
        createdAt: new Date(7),
      });
      const token = makeToken(user.id, { expiresAt: new Date(1) });
      const digest = makeDigest();
      await insert(token, digest);
      expect(await store().findTokenByDigest(digest)).toEqual({ token, user });
      expect(await store().findTokenByDigest(makeDigest())).toBeUndefined();
    });

    test('are unique by digest', async () => {
      const user = await insertUser();
      const digest = makeDigest();
      await insert(makeToken(user.id), digest);
      await expect(insert(makeToken(user.id), digest)).rejects.toMatchObject({
        name: 'DomainError',
        code: 'already_exists',
        message: expect.stringContaining('personal access token'),
      });
    });

    test('of a user who is not there are refused as aborted', async () => {
      await expect(insert(makeToken('unknown'))).rejects.toMatchObject({
        name: 'DomainError',
        code: 'aborted',
      });
    });

    test('are listed by user', async () => {
      const [ada, bob, cyd] = [await insertUser(), await insertUser(), await insertUser()];
      const tokens = [makeToken(ada.id), makeToken(bob.id), makeToken(ada.id), makeToken(cyd.id)];
      for (const token of tokens) await insert(token);
      const list = async (...userIds: readonly string[]) =>
        (await store().listPersonalAccessTokens(userIds, { size: 10 })).rows;
      expect(await list(ada.id)).toEqual([tokens[0], tokens[2]]);
      expect(await list(cyd.id, ada.id)).toEqual([tokens[0], tokens[2], tokens[3]]);
      expect(await list('unknown')).toEqual([]);
    });

    test('are deleted one by one, or all of one user', async () => {
      const [ada, bob] = [await insertUser(), await insertUser()];
      const tokens = [makeToken(ada.id), makeToken(ada.id), makeToken(ada.id), makeToken(bob.id)];
      for (const token of tokens) await insert(token);
      const remaining = async () =>
        (await store().listPersonalAccessTokens([ada.id, bob.id], { size: 10 })).rows;
      await store().transaction((tx) => tx.deletePersonalAccessToken(tokens[0]?.id ?? ''));
      expect(await remaining()).toEqual(tokens.slice(1));
      await store().transaction((tx) => tx.deletePersonalAccessTokensOf(ada.id));
      expect(await remaining()).toEqual(tokens.slice(3));
    });

    test('move their last use forward, never back, and pass over what is gone', async () => {
      const user = await insertUser();
      const [fresh, used] = [
        makeToken(user.id),
        makeToken(user.id, { lastUsedAt: new Date(2000) }),
      ];
      await insert(fresh);
      await insert(used);
      const record = async (...uses: readonly [PersonalAccessToken | undefined, number][]) => {
        const times = new Map(uses.map(([token, at]) => [token?.id ?? 'unknown', new Date(at)]));
        await store().transaction((tx) => tx.recordTokenUses(times));
        const { rows } = await store().listPersonalAccessTokens([user.id], { size: 10 });
        return rows.map(({ lastUsedAt }) => lastUsedAt?.getTime());
      };
      expect(await record([fresh, 1000], [undefined, 1], [used, 1000])).toEqual([1000, 2000]);
      expect(await record([fresh, 999], [used, 3000])).toEqual([1000, 3000]);
      expect(await record()).toEqual([1000, 3000]);
    });
  });
}
