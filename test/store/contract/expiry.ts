import { describe, expect, test } from 'vitest';
import type { LoginAttempt } from '../../../src/domain/login-attempt.ts';
import type { StoreTransaction } from '../../../src/domain/ports.ts';
import {
  DAY,
  HOUR,
  insertAttempt,
  insertLoginHome,
  insertSession,
  makeLoginAttempt,
  makePendingLogin,
  makeSession,
  RETENTION,
} from '../login-fixtures.ts';
import type { LoginHome } from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { NOW } from '../store-fixtures.ts';

type Expiry = Parameters<StoreTransaction['forgetExpired']>[0];

const LIFETIME = { idleMs: 8 * HOUR, absoluteMs: 24 * HOUR };

export function describeExpiry(store: StoreUnderTest): void {
  const ago = (milliseconds: number): Date => new Date(NOW.getTime() - milliseconds);
  const forget = (given: Partial<Expiry> = {}): Promise<number> =>
    store().transaction((tx) =>
      tx.forgetExpired({
        now: NOW,
        sessionLifetime: LIFETIME,
        attemptRetention: RETENTION,
        auditRetention: { maxAgeMs: 100 * DAY, signInMaxAgeMs: 50 * DAY },
        limit: 100,
        ...given,
      }),
    );
  const isKnown = async (stateDigest: string): Promise<boolean> =>
    (await store().transaction((tx) => tx.takePendingLogin(stateDigest, NOW))) !== undefined;
  const insertPending = async ({ configuration }: LoginHome, expiresAt: Date) => {
    const pending = makePendingLogin(configuration, { expiresAt });
    await store().transaction((tx) => tx.insertPendingLogin(pending));
    return pending.stateDigest;
  };
  const listAttempts = async ({ organizationId }: LoginHome) =>
    (await store().listLoginAttempts({ organizationId }, { size: 100 })).rows;

  describe('what has expired', () => {
    test.each([
      { used: 0, made: 0, kept: true },
      { used: 8 * HOUR - 1, made: 8 * HOUR, kept: true },
      { used: 8 * HOUR, made: 8 * HOUR, kept: false },
      { used: 0, made: 24 * HOUR - 1, kept: true },
      { used: 0, made: 24 * HOUR, kept: false },
    ])(
      'sessions used $used ms ago and made $made ms ago: kept $kept',
      async ({ used, made, kept }) => {
        const home = await insertLoginHome(store());
        const given = { createdAt: ago(made), lastUsedAt: ago(used) };
        const digest = await insertSession(store(), makeSession(home, given));
        expect(await forget()).toBe(kept ? 0 : 1);
        expect((await store().findSessionByDigest(digest)) !== undefined).toBe(kept);
      },
    );

    test('pending logins are forgotten an hour after they expired, taken or not', async () => {
      const home = await insertLoginHome(store());
      const [recent, old, taken] = [
        await insertPending(home, ago(HOUR - 1)),
        await insertPending(home, ago(HOUR)),
        await insertPending(home, ago(HOUR)),
      ];
      expect(await isKnown(taken)).toBe(true);
      expect(await forget()).toBe(2);
      expect(await isKnown(recent)).toBe(true);
      expect(await isKnown(old)).toBe(false);
      expect(await isKnown(taken)).toBe(false);
    });

    test('attempts are forgotten with their claims when the retention ends', async () => {
      const home = await insertLoginHome(store());
      const make = (milliseconds: number): LoginAttempt =>
        makeLoginAttempt(home.configuration, { at: ago(milliseconds) });
      const recent = await insertAttempt(store(), make(30 * DAY - 1), { n: 1 });
      const old = await insertAttempt(store(), make(30 * DAY), { n: 2 });
      expect(await forget()).toBe(1);
      expect(await listAttempts(home)).toMatchObject([recent]);
      expect(await store().readLoginAttemptClaims(recent.id)).toEqual({ n: 1 });
      expect(await store().readLoginAttemptClaims(old.id)).toBeUndefined();
      const nothing = { claimsPerConfiguration: 200, maxAgeMs: 0 };
      expect(await forget({ attemptRetention: nothing })).toBe(1);
      expect(await listAttempts(home)).toEqual([]);
    });

    test('claims are forgotten where none are to be kept, and their attempts stay', async () => {
      const home = await insertLoginHome(store());
      const other = await insertLoginHome(store());
      const rows = [
        await insertAttempt(store(), makeLoginAttempt(home.configuration), { n: 1 }),
        await insertAttempt(store(), makeLoginAttempt(home.configuration), { n: 2 }),
        await insertAttempt(store(), makeLoginAttempt(other.configuration), { n: 3 }),
        await insertAttempt(store(), makeLoginAttempt(other.configuration)),
      ];
      const attemptRetention = { ...RETENTION, claimsPerConfiguration: 0 };
      expect(await forget({ attemptRetention, limit: 2 })).toBe(2);
      expect(await forget({ attemptRetention, limit: 2 })).toBe(1);
      expect(await forget({ attemptRetention, limit: 2 })).toBe(0);
      const claims = await Promise.all(rows.map(({ id }) => store().readLoginAttemptClaims(id)));
      expect(claims).toEqual([undefined, undefined, undefined, undefined]);
      expect(await listAttempts(home)).toHaveLength(2);
      expect(await listAttempts(other)).toHaveLength(2);
    });

    test('goes so many of each kind at a time, and is counted', async () => {
      const home = await insertLoginHome(store());
      const old = ago(40 * DAY);
      for (let count = 0; count < 5; count += 1) {
        await insertSession(store(), makeSession(home, { createdAt: old, lastUsedAt: old }));
        await insertAttempt(store(), makeLoginAttempt(home.configuration, { at: old }));
        if (count < 3) await insertPending(home, old);
      }
      const counts: number[] = [];
      for (let round = 0; round < 4; round += 1) counts.push(await forget({ limit: 2 }));
      expect(counts).toEqual([6, 5, 2, 0]);
      expect(await listAttempts(home)).toEqual([]);
    });

    test('takes nothing else along', async () => {
      const home = await insertLoginHome(store());
      const digest = await insertSession(store(), makeSession(home));
      const pending = await insertPending(home, NOW);
      const attempt = await insertAttempt(store(), makeLoginAttempt(home.configuration), { n: 1 });
      expect(await forget()).toBe(0);
      expect(await store().findSessionByDigest(digest)).toBeDefined();
      expect(await isKnown(pending)).toBe(true);
      expect(await listAttempts(home)).toMatchObject([attempt]);
      expect(await store().findUser(home.user.id)).toEqual(home.user);
    });
  });
}
