import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DomainError } from '../../../src/domain/errors.ts';
import type { StoreTransaction } from '../../../src/domain/ports.ts';
import type { SsoConfiguration } from '../../../src/domain/sso-configuration.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import {
  insertOrganization,
  insertUsers,
  makeOrganization,
  makeSsoConfiguration,
  makeUser,
} from '../store-fixtures.ts';

export function describeTransactions(store: StoreUnderTest): void {
  const insertConfiguration = async (): Promise<SsoConfiguration> => {
    const { id } = await insertOrganization(store());
    const configuration = makeSsoConfiguration(id);
    await store().transaction((tx) => tx.insertSsoConfiguration(configuration, 'secret'));
    return configuration;
  };

  describe('a transaction', () => {
    test('resolves to what its work resolves to', async () => {
      expect(await store().transaction(async () => 42)).toBe(42);
    });

    test('leaves nothing behind when its work fails, and fails with the same error', async () => {
      const organization = makeOrganization();
      const kept = await insertOrganization(store());
      const failure = new Error('on purpose');
      const failing = store().transaction(async (tx) => {
        await tx.insertOrganization(organization);
        await tx.insertUser(makeUser(organization.id));
        await tx.deleteOrganization(kept.id);
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
      expect(await store().findOrganization(organization.id)).toBeUndefined();
      expect(await store().findOrganization(kept.id)).toEqual(kept);
    });

    test('leaves nothing behind when a statement fails', async () => {
      const organization = await insertOrganization(store());
      const other = makeOrganization();
      await expect(
        store().transaction(async (tx) => {
          await tx.insertOrganization(other);
          await tx.insertOrganization(organization);
        }),
      ).rejects.toMatchObject({ code: 'already_exists' });
      expect(await store().findOrganization(other.id)).toBeUndefined();
      await insertOrganization(store(), { id: other.id });
    });

    test('sees its own changes, which others see only when it has ended', async () => {
      const organization = makeOrganization();
      await store().transaction(async (tx) => {
        await tx.insertOrganization(organization);
        expect(await tx.findOrganization(organization.id)).toEqual(organization);
        expect(await tx.isEmpty()).toBe(false);
        expect(await store().findOrganization(organization.id)).toBeUndefined();
        expect(await store().isEmpty()).toBe(true);
      });
      expect(await store().findOrganization(organization.id)).toEqual(organization);
    });

    test('that waits keeps nobody from reading', async () => {
      const organization = await insertOrganization(store());
      const { promise: waiting, resolve: goOn } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const running = store().transaction(async (tx) => {
        await tx.updateOrganization({ ...organization, name: 'Changed' });
        begin();
        await waiting;
      });
      await begun;
      expect(await store().findOrganization(organization.id)).toEqual(organization);
      goOn();
      await running;
      expect(await store().findOrganization(organization.id)).toMatchObject({ name: 'Changed' });
    });

    test('does no more when it has ended', async () => {
      const late = await store().transaction(async (tx): Promise<StoreTransaction> => tx);
      await expect(late.insertOrganization(makeOrganization())).rejects.toThrow(
        'already committed',
      );
      expect(await store().isEmpty()).toBe(true);
    });

    test('can follow another that failed', async () => {
      for (let i = 0; i < 20; i++) {
        await expect(store().transaction(() => Promise.reject(new Error('no')))).rejects.toThrow(
          'no',
        );
      }
      await insertOrganization(store());
    });
  });

  describe('transactions at the same time', () => {
    test('that change different fields under a lock both survive', async () => {
      const { id } = await insertConfiguration();
      const change = async (given: Partial<SsoConfiguration>): Promise<void> =>
        store().transaction(async (tx) => {
          const current = await tx.lockSsoConfiguration(id);
          if (current === undefined) throw new Error('gone');
          await setTimeout(1);
          await tx.updateSsoConfiguration({ ...current, ...given });
        });
      await Promise.all([
        change({ displayName: 'New name' }),
        change({ state: 'inactive' }),
        change({ claimsExpression: 'true' }),
        change({ additionalScopes: ['groups'] }),
      ]);
      expect(await store().findSsoConfiguration(id)).toMatchObject({
        displayName: 'New name',
        state: 'inactive',
        claimsExpression: 'true',
        additionalScopes: ['groups'],
      });
    });

    test('that count up under a lock lose no step', async () => {
      const { id } = await insertConfiguration();
      const step = async (): Promise<void> =>
        store().transaction(async (tx) => {
          const current = await tx.lockSsoConfiguration(id);
          if (current !== undefined)
            await tx.updateSsoConfiguration({ ...current, revision: current.revision + 1 });
        });
      await Promise.all(Array.from({ length: 40 }, step));
      expect(await store().findSsoConfiguration(id)).toMatchObject({ revision: 41 });
    });

    test.each<[string, (tx: StoreTransaction) => Promise<unknown>]>([
      ['operators', (tx) => tx.lockOperators()],
      ['signing keys', (tx) => tx.lockSigningKeys()],
      ['an organization', (tx) => tx.lockOrganization('locked')],
      ['a user', (tx) => tx.lockUser('locked-user')],
    ])('that lock %s follow one another', async (_, lock) => {
      await insertOrganization(store(), { id: 'locked' });
      await insertUsers(store(), [makeUser('locked', { id: 'locked-user' })]);
      let inside = 0;
      let most = 0;
      const run = async (): Promise<void> =>
        store().transaction(async (tx) => {
          await lock(tx);
          inside += 1;
          most = Math.max(most, inside);
          await setTimeout(1);
          inside -= 1;
        });
      await Promise.all(Array.from({ length: 8 }, run));
      expect(most).toBe(1);
    });

    test('never both take away the last operator', async () => {
      const { id } = await insertOrganization(store());
      const operators = Array.from({ length: 5 }, () => makeUser(id, { operator: true }));
      await insertUsers(store(), operators);
      await Promise.all(
        operators.map((operator) =>
          store().transaction(async (tx) => {
            await tx.lockOperators();
            if ((await tx.countActiveOperators({ except: operator.id })) === 0) return;
            await tx.updateUser({ ...operator, operator: false });
          }),
        ),
      );
      expect(await store().countActiveOperators({})).toBe(1);
    });

    test('make a thing with a unique key only once', async () => {
      const organization = await insertOrganization(store());
      const attempts = await Promise.allSettled(
        Array.from({ length: 6 }, () =>
          store().transaction((tx) =>
            tx.insertSsoConfiguration(
              makeSsoConfiguration(organization.id, { clientId: 'same' }),
              's',
            ),
          ),
        ),
      );
      const outcomes = attempts.map((attempt) =>
        attempt.status === 'fulfilled' ? 'made' : (attempt.reason as DomainError).code,
      );
      expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'already_exists')).toHaveLength(5);
    });

    test('lock what is not there without complaint', async () => {
      await store().transaction(async (tx) => {
        expect(await tx.lockOrganization('unknown')).toBeUndefined();
        expect(await tx.lockUser('unknown')).toBeUndefined();
        expect(await tx.lockSsoConfiguration('unknown')).toBeUndefined();
        expect(await tx.lockDomainVerification('unknown')).toBeUndefined();
      });
    });
  });

  describe('the store as a whole', () => {
    test('answers a ping', async () => {
      await expect(store().ping()).resolves.toBeUndefined();
    });

    test('waits for what is running when it closes, and then answers unavailable', async () => {
      const organization = makeOrganization();
      let ended = false;
      const running = store().transaction(async (tx) => {
        await setTimeout(20);
        await tx.insertOrganization(organization);
        ended = true;
      });
      await setTimeout(1);
      await store().close();
      expect(ended).toBe(true);
      await running;
      const unavailable = { name: 'DomainError', code: 'unavailable' };
      const find = async () => store().findOrganization(organization.id);
      await expect(find()).rejects.toMatchObject(unavailable);
      await expect(store().transaction(async () => {})).rejects.toMatchObject(unavailable);
      await expect(store().ping()).rejects.toMatchObject(unavailable);
    });

    test('can be closed twice', async () => {
      await store().close();
      await expect(store().close()).resolves.toBeUndefined();
    });
  });
}
