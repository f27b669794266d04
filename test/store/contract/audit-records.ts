import { v7 as newId } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '../../../src/domain/audit.ts';
import type { AuditQuery } from '../../../src/domain/audit-ports.ts';
import type { LoginAttempt } from '../../../src/domain/login-attempt.ts';
import type { Cursor } from '../../../src/domain/page.ts';
import {
  DAY,
  insertAttempt,
  insertLoginHome,
  makeLoginAttempt,
  RETENTION,
} from '../login-fixtures.ts';
import type { StoreUnderTest } from '../store-contract.ts';
import { NOW, readAll } from '../store-fixtures.ts';

function makeRecord(
  organizationId: string | undefined,
  given: Partial<AuditRecord> = {},
): AuditRecord {
  return {
    id: newId(),
    organizationId,
    at: NOW,
    actor: { kind: 'token', userId: newId(), credentialId: newId() },
    subject: { type: 'sso_configuration', id: newId() },
    action: 'sso_configuration.updated',
    reason: undefined,
    fields: ['client_secret', 'claims'],
    count: 1,
    ...given,
  };
}

/** A login attempt as a record. */
function describeSignIn(attempt: LoginAttempt): AuditRecord {
  return {
    id: attempt.id,
    organizationId: attempt.organizationId,
    at: attempt.at,
    actor: { kind: 'sso_login', userId: attempt.userId, credentialId: undefined },
    subject: { type: 'sso_configuration', id: attempt.ssoConfigurationId },
    action: 'sign_in',
    reason: attempt.reason,
    fields: [],
    count: 1,
  };
}

export function describeAuditRecords(store: StoreUnderTest): void {
  const at = (offset: number): Date => new Date(NOW.getTime() + offset);
  const insert = async (...records: readonly AuditRecord[]) => {
    await store().transaction(async (tx) => {
      for (const record of records) await tx.insertAuditRecord(record);
    });
    return records;
  };
  const list = async (query: Partial<AuditQuery>) =>
    (await store().listAuditRecords({ descending: true, ...query }, { size: 100 })).rows;

  describe('audit records', () => {
    test('are read as they were written', async () => {
      const organizationId = newId();
      const full = makeRecord(organizationId, { reason: 'not_admin', count: 7, at: at(1) });
      const bare = makeRecord(organizationId, {
        actor: { kind: 'system', userId: undefined, credentialId: undefined },
        subject: undefined,
        fields: [],
      });
      await insert(bare, full);
      expect(await list({ organizationId })).toEqual([full, bare]);
    });

    test('are not there when their transaction fails', async () => {
      const organizationId = newId();
      const failing = store().transaction(async (tx) => {
        await tx.insertAuditRecord(makeRecord(organizationId));
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await list({ organizationId })).toEqual([]);
    });

    test('are merged with login attempts, in either order', async () => {
      const { organizationId, configuration, user } = await insertLoginHome(store());
      const refused = makeLoginAttempt(configuration, { at: at(1) });
      const admitted = makeLoginAttempt(configuration, {
        at: at(3),
        outcome: 'admitted',
        reason: undefined,
        userId: user.id,
      });
      for (const attempt of [refused, admitted]) await insertAttempt(store(), attempt);
      const [first, second] = await insert(
        makeRecord(organizationId, { at: at(0) }),
        makeRecord(organizationId, { at: at(2) }),
      );
      const expected = [first, describeSignIn(refused), second, describeSignIn(admitted)];
      expect(await list({ organizationId, descending: false })).toEqual(expected);
      expect(await list({ organizationId })).toEqual(expected.toReversed());
      expect((await store().listLoginAttempts({ organizationId }, { size: 1 })).rows).toMatchObject(
        [admitted],
      );
    });

    test('are narrowed by all that is given', async () => {
      const home = await insertLoginHome(store());
      const { organizationId, configuration, user } = home;
      const signIn = makeLoginAttempt(configuration, { at: at(2), userId: user.id });
      await insertAttempt(store(), signIn);
      const nobody = makeLoginAttempt(configuration, { at: at(1) });
      await insertAttempt(store(), nobody);
      const actor = { kind: 'token', userId: user.id, credentialId: newId() } as const;
      const [mine, theirs, foreign, own] = await insert(
        makeRecord(organizationId, { at: at(3), actor }),
        makeRecord(organizationId, { at: at(4), subject: { type: 'user', id: user.id } }),
        makeRecord(newId(), { at: at(5), actor }),
        makeRecord(undefined, {
          at: at(6),
          actor: { ...actor, kind: 'system', userId: undefined },
        }),
      );
      const all = [theirs, mine, describeSignIn(signIn), describeSignIn(nobody)];
      expect(await list({ organizationId })).toEqual(all);
      expect((await list({ from: at(5) })).map(({ id }) => id)).toEqual([own?.id, foreign?.id]);
      expect(await list({ organizationId, from: at(2), to: at(4) })).toEqual(all.slice(1, 3));
      expect(await list({ organizationId, actorIds: [user.id, newId()] })).toEqual(all.slice(1, 3));
      expect(await list({ organizationId, hasActor: true })).toEqual(all.slice(0, 3));
      expect(await list({ organizationId, hasActor: false })).toEqual(all.slice(3));
      expect(await list({ organizationId, subjectTypes: ['user'] })).toEqual([theirs]);
      expect(await list({ organizationId, subjectTypes: ['sso_configuration'] })).toEqual(
        all.slice(1),
      );
      expect(await list({ organizationId, subjectIds: [configuration.id, user.id] })).toEqual([
        theirs,
        ...all.slice(2),
      ]);
      expect(await list({ organizationId, subjectIds: [user.id], hasActor: false })).toEqual([]);
    });

    test.each([1, 2, 3, 5].flatMap((size) => [true, false].map((newest) => ({ size, newest }))))(
      'come in pages of $size, whole while others come, newest first: $newest',
      async ({ size, newest }) => {
        const { organizationId, configuration } = await insertLoginHome(store());
        for (const offset of [5, 1, 3, 3, 3, 2, 4]) {
          await insertAttempt(store(), makeLoginAttempt(configuration, { at: at(offset) }));
          await insert(makeRecord(organizationId, { at: at(offset) }));
        }
        const query = { organizationId, descending: newest };
        const whole = await list(query);
        expect(whole).toHaveLength(14);
        let others = 0;
        const read = await readAll(
          (page) => store().listAuditRecords(query, page),
          size,
          async () => {
            others += 1;
            // Where the list has been already.
            await insert(makeRecord(organizationId, { at: at(newest ? 10 + others : -others) }));
          },
        );
        expect(read).toEqual(whole);
      },
    );

    test.each<Cursor>([['a'], ['a', 'b'], [1, 'b', 'c']] as unknown as Cursor[])(
      'refuse the cursor %o of another list',
      async (...after) => {
        const page = { size: 2, after: after as unknown as Cursor };
        await expect(store().listAuditRecords({ descending: true }, page)).rejects.toMatchObject({
          name: 'DomainError',
          code: 'invalid_argument',
        });
      },
    );

    test('outlive their organization, and its login attempts do not', async () => {
      const { organizationId, configuration } = await insertLoginHome(store());
      await insertAttempt(store(), makeLoginAttempt(configuration));
      const [record] = await insert(makeRecord(organizationId));
      await store().transaction((tx) => tx.deleteOrganization(organizationId));
      expect(await list({ organizationId })).toEqual([record]);
    });

    test('are forgotten when their retention ends, and sign-ins that succeeded when theirs does', async () => {
      const { organizationId, configuration, user } = await insertLoginHome(store());
      const [kept] = await insert(
        makeRecord(organizationId, { at: at(-90 * DAY + 1) }),
        makeRecord(organizationId, { at: at(-90 * DAY) }),
        makeRecord(organizationId, { at: at(-7 * DAY), action: 'session.ended' }),
      );
      const make = (age: number, userId?: string) =>
        insertAttempt(store(), makeLoginAttempt(configuration, { at: at(-age), userId }));
      const recent = await make(7 * DAY - 1, user.id);
      await make(7 * DAY, user.id);
      const refused = await make(20 * DAY);
      const forgotten = await store().transaction((tx) =>
        tx.forgetExpired({
          now: NOW,
          sessionLifetime: { idleMs: DAY, absoluteMs: DAY },
          attemptRetention: RETENTION,
          auditRetention: { maxAgeMs: 90 * DAY, signInMaxAgeMs: 7 * DAY },
          limit: 100,
        }),
      );
      expect(forgotten).toBe(3);
      expect(await list({ organizationId })).toEqual([
        describeSignIn(recent),
        describeSignIn(refused),
        kept,
      ]);
    });
  });
}
