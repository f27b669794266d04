// How refusals become records: bounded, counted, and never waited for.
import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { describe, expect, test } from 'vitest';

import type { AuditRecord } from '../../src/domain/audit.ts';
import type { Store, StoreTransaction } from '../../src/domain/ports.ts';
import {
  createRefusalRecorder,
  FURTHER_REFUSALS,
  REFUSAL_LIMITS,
} from '../../src/domain/refusal-recorder.ts';
import type { Refusal } from '../../src/domain/refusal-recorder.ts';

function makeRefusal(given: Partial<Refusal> = {}): Refusal {
  return {
    actor: { kind: 'token', userId: 'ada', credentialId: 't' },
    organizationId: 'o',
    action: 'SetRole',
    reason: 'ADMIN_REQUIRED',
    ...given,
  };
}

const makeActor = (number: number) => ({ kind: 'token', userId: `u${number}` }) as const;

/** Over a store that holds records alone, and can be away. */
function start() {
  const records: AuditRecord[] = [];
  const failures: unknown[] = [];
  let time = Date.UTC(2026, 0, 1);
  let away = false;
  const insertAuditRecord = async (record: AuditRecord): Promise<void> => {
    if (away) throw new Error('away');
    records.push(record);
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- All that the recorder asks of it.
  const tx = { insertAuditRecord } as StoreTransaction;
  const store: Pick<Store, 'transaction'> = { transaction: async (work) => work(tx) };
  const recorder = createRefusalRecorder(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The same.
    { store: store as Store, now: () => new Date(time), newId },
    (error) => failures.push(error),
  );
  return {
    ...recorder,
    records,
    failures,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    setAway: (value: boolean) => {
      away = value;
    },
  };
}

const list = (records: readonly AuditRecord[]) =>
  records.map(({ action, reason, count }) => [action, reason, count]);

describe('a refusal', () => {
  test('is written by itself, and those like it are counted until the window ends', async () => {
    const recorder = start();
    for (let count = 0; count < 1000; count += 1) recorder.note(makeRefusal());
    await recorder.settle();
    expect(list(recorder.records)).toEqual([['SetRole', 'ADMIN_REQUIRED', 1]]);
    await recorder.flush();
    expect(recorder.records).toHaveLength(1);
    recorder.pass(REFUSAL_LIMITS.windowMs);
    await recorder.flush();
    expect(list(recorder.records)).toEqual([
      ['SetRole', 'ADMIN_REQUIRED', 1],
      ['SetRole', 'ADMIN_REQUIRED', 999],
    ]);
    await recorder.flush();
    expect(recorder.records).toHaveLength(2);
  });

  test('begins a new window after the old one, with or without a flush between', async () => {
    const recorder = start();
    for (const _ of [1, 2, 3]) {
      recorder.note(makeRefusal());
      recorder.note(makeRefusal());
      recorder.pass(REFUSAL_LIMITS.windowMs);
    }
    await recorder.close();
    expect(recorder.records.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('is told apart by actor, organization, action and reason, and not by its subject', async () => {
    const recorder = start();
    const kinds = [
      makeRefusal(),
      makeRefusal({ actor: { kind: 'token', userId: 'bob' } }),
      makeRefusal({ organizationId: 'p' }),
      makeRefusal({ action: 'DeleteOrganization' }),
      makeRefusal({ reason: 'READ_ONLY_TOKEN' }),
    ];
    for (const kind of kinds) recorder.note(kind);
    for (const id of ['x', 'y']) recorder.note(makeRefusal({ subject: { type: 'user', id } }));
    await recorder.close();
    expect(recorder.records.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 2]);
  });

  test('waits for a store that is away, and is written once when it is back', async () => {
    const recorder = start();
    recorder.setAway(true);
    recorder.note(makeRefusal());
    await recorder.settle();
    recorder.note(makeRefusal({ action: 'LeaveOrganization' }));
    await recorder.settle();
    expect(recorder.records).toEqual([]);
    expect(recorder.failures.length).toBeGreaterThan(0);
    recorder.setAway(false);
    await recorder.flush();
    expect(recorder.records.map(({ action }) => action)).toEqual(['SetRole', 'LeaveOrganization']);
  });
});

describe('what somebody can make of it', () => {
  test('is so many records in a window and no more, and none is forgotten', async () => {
    const recorder = start();
    const total = 3000;
    for (let count = 0; count < total; count += 1) {
      recorder.note(makeRefusal({ action: `Rpc${count % 300}` }));
    }
    await recorder.close();
    expect(recorder.records.length).toBe(2 * (REFUSAL_LIMITS.kinds + 1));
    expect(recorder.records.reduce((sum, { count }) => sum + count, 0)).toBe(total);
    expect(recorder.records.some(({ reason }) => reason === FURTHER_REFUSALS)).toBe(true);
  });

  test('is bounded for an organization, and hides nothing of others', async () => {
    const recorder = start();
    for (let count = 0; count < 3 * REFUSAL_LIMITS.actors; count += 1) {
      recorder.note(makeRefusal({ organizationId: 'loud', actor: makeActor(count) }));
    }
    recorder.note(makeRefusal());
    await recorder.close();
    const { records } = recorder;
    expect(records.filter(({ organizationId }) => organizationId === 'o')).toHaveLength(1);
    const nobodys = records.filter(({ actor }) => actor.userId === undefined);
    const further = 3 * REFUSAL_LIMITS.actors - REFUSAL_LIMITS.actorsOfOne;
    expect(nobodys.map(({ organizationId, count }) => [organizationId, count])).toEqual([
      ['loud', 1],
      ['loud', further - 1],
    ]);
    expect(records).toHaveLength(REFUSAL_LIMITS.actorsOfOne + 2 + 1);
  });

  test('is bounded for all together, too', async () => {
    const recorder = start();
    for (let count = 0; count < 3 * REFUSAL_LIMITS.actors; count += 1) {
      recorder.note(makeRefusal({ organizationId: `o${count}`, actor: makeActor(count) }));
    }
    await recorder.close();
    const nobodys = recorder.records.filter(({ organizationId }) => organizationId === undefined);
    expect(nobodys.map(({ count, actor }) => [count, actor.userId])).toEqual([
      [1, undefined],
      [2 * REFUSAL_LIMITS.actors - 1, undefined],
    ]);
    expect(recorder.records).toHaveLength(REFUSAL_LIMITS.actors + 2);
  });

  test('is bounded while the store is away', async () => {
    const recorder = start();
    recorder.setAway(true);
    for (let window = 0; window < 8; window += 1) {
      for (let actor = 0; actor < REFUSAL_LIMITS.actors; actor += 1) {
        recorder.note(makeRefusal({ organizationId: `o${actor}`, actor: makeActor(actor) }));
      }
      recorder.pass(REFUSAL_LIMITS.windowMs);
      await recorder.flush();
    }
    recorder.setAway(false);
    await recorder.close();
    expect(recorder.records).toHaveLength(REFUSAL_LIMITS.waiting);
  });
});

test('Whatever is noted whenever, all of it is counted', async () => {
  const step = fc.oneof(
    fc.record({ user: fc.nat(3), action: fc.nat(25) }),
    fc.constant('flush' as const),
    fc.constant('pass' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const recorder = start();
      let noted = 0;
      for (const each of steps) {
        if (each === 'flush') await recorder.flush();
        else if (each === 'pass') recorder.pass(REFUSAL_LIMITS.windowMs / 2);
        else {
          noted += 1;
          const actor = { kind: 'token', userId: `u${each.user}` } as const;
          recorder.note(makeRefusal({ actor, action: `Rpc${each.action}` }));
        }
      }
      await recorder.close();
      expect(recorder.records.reduce((sum, { count }) => sum + count, 0)).toBe(noted);
    }),
    { numRuns: 50 },
  );
});
