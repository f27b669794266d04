import { describe, expect, test } from 'vitest';
import type { Session } from '../../../src/domain/session.ts';
import {
  insertConfiguration,
  insertLoginHome,
  insertSession,
  makeSession,
  makeTokenSession,
} from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { insertUsers, makeDigest, makeToken, makeUser, NOW } from '../store-fixtures.ts';

export function describeSessions(store: StoreUnderTest): void {
  const insert = (session: Session, digest?: string): Promise<string> =>
    insertSession(store(), session, digest);
  const find = (digest: string) => store().findSessionByDigest(digest);
  const at = (offset: number): Date => new Date(NOW.getTime() + offset);

  describe('sessions', () => {
    test('are found by digest together with their user, whatever the state of both', async () => {
      const home = await insertLoginHome(store(), { state: 'inactive' });
      const user = makeUser(home.organizationId, {
        status: 'suspended',
        role: 'admin',
        operator: true,
        avatarUrl: 'https://example.com/a.png',
        createdAt: new Date(7),
      });
      await insertUsers(store(), [user]);
      const session = makeSession(
        { ...home, user },
        { createdAt: new Date(8), lastUsedAt: new Date(9) },
      );
      const digest = await insert(session);
      expect(await find(digest)).toEqual({ session, user });
      expect(await find(makeDigest())).toBeUndefined();
      expect(await store().transaction((tx) => tx.findSessionByDigest(digest))).toEqual({
        session,
        user,
      });
    });

    test('are unique by digest', async () => {
      const home = await insertLoginHome(store());
      const digest = await insert(makeSession(home));
      await expect(insert(makeSession(home), digest)).rejects.toMatchObject({
        name: 'DomainError',
        code: 'already_exists',
        message: expect.stringContaining('session'),
      });
    });

    test('of a user or a configuration that is not there are refused as aborted', async () => {
      const home = await insertLoginHome(store());
      for (const given of [{ userId: 'unknown' }, { ssoConfigurationId: 'unknown' }]) {
        await expect(insert(makeSession(home, given))).rejects.toMatchObject({
          name: 'DomainError',
          code: 'aborted',
        });
      }
    });

    test('are deleted one by one, or all of one user', async () => {
      const home = await insertLoginHome(store());
      const colleague = makeUser(home.organizationId);
      await insertUsers(store(), [colleague]);
      const other = await insertConfiguration(store(), home.organizationId);
      const first = await insert(makeSession(home));
      const second = await insert(makeSession(home));
      const third = await insert(makeSession({ ...home, configuration: other }));
      const kept = await insert(makeSession({ ...home, user: colleague }));
      await store().transaction((tx) => tx.deleteSession(first));
      await store().transaction((tx) => tx.deleteSession(makeDigest()));
      expect(await find(first)).toBeUndefined();
      expect(await find(second)).toBeDefined();
      await store().transaction((tx) => tx.deleteSessionsOf(home.user.id));
      for (const digest of [second, third]) expect(await find(digest)).toBeUndefined();
      expect(await find(kept)).toBeDefined();
    });

    test('move their last use forward, never back, each its own', async () => {
      const home = await insertLoginHome(store());
      const sessions = [makeSession(home), makeSession(home), makeSession(home)];
      const digests: string[] = [];
      for (const session of sessions) digests.push(await insert(session));
      const [ahead = '', behind = ''] = sessions.map(({ id }) => id);
      const uses = new Map([
        [behind, at(-1)],
        ['unknown', at(5)],
        [ahead, at(60_000)],
      ]);
      await store().transaction((tx) => tx.recordSessionUses(uses));
      const found = await Promise.all(digests.map(async (digest) => (await find(digest))?.session));
      expect(found.map((session) => session?.lastUsedAt)).toEqual([at(60_000), NOW, NOW]);
      expect(found.map((session) => session?.createdAt)).toEqual([NOW, NOW, NOW]);
      await store().transaction((tx) => tx.recordSessionUses(new Map([[ahead, at(30_000)]])));
      await store().transaction((tx) => tx.recordSessionUses(new Map()));
      expect((await find(digests[0] ?? makeDigest()))?.session.lastUsedAt).toEqual(at(60_000));
    });

    test('go with their configuration, and those of others stay', async () => {
      const home = await insertLoginHome(store());
      const other = await insertConfiguration(store(), home.organizationId);
      const digest = await insert(makeSession(home));
      const kept = await insert(makeSession({ ...home, configuration: other }));
      await store().transaction((tx) => tx.deleteSsoConfiguration(home.configuration.id));
      expect(await find(digest)).toBeUndefined();
      expect(await find(kept)).toMatchObject({ user: home.user });
    });

    test('of a token are found with what it may, and go with it', async () => {
      const home = await insertLoginHome(store());
      const tokens = [
        makeToken(home.user.id, { readOnly: true, expiresAt: new Date(5000) }),
        makeToken(home.user.id, { readOnly: false, expiresAt: undefined }),
      ];
      for (const token of tokens) {
        await store().transaction((tx) => tx.insertPersonalAccessToken(token, makeDigest()));
        const session = makeTokenSession(token);
        const digest = await insert(session);
        const { readOnly, expiresAt } = token;
        expect(await find(digest)).toEqual({
          session,
          user: home.user,
          token: { readOnly, expiresAt },
        });
        await store().transaction((tx) => tx.deleteSsoConfiguration(home.configuration.id));
        expect(await find(digest)).toBeDefined();
        await store().transaction((tx) => tx.deletePersonalAccessToken(token.id));
        expect(await find(digest)).toBeUndefined();
      }
      const [token = makeToken(home.user.id)] = tokens;
      await expect(insert(makeTokenSession(token))).rejects.toMatchObject({ code: 'aborted' });
    });

    test('go with their organization and its users', async () => {
      const home = await insertLoginHome(store());
      const digest = await insert(makeSession(home));
      await store().transaction((tx) => tx.deleteOrganization(home.organizationId));
      expect(await find(digest)).toBeUndefined();
    });
  });
}
