// One timer for all: each deadline that is not cleared passes once, in its time and in its order.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSharedDeadlines } from '../../src/http/shared-deadlines.ts';
import type { Deadline } from '../../src/http/shared-deadlines.ts';

const TIMEOUT_MS = 100;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a deadline passes when its time is over, and not before', () => {
  const deadlines = createSharedDeadlines(TIMEOUT_MS);
  const end = vi.fn<() => void>();
  deadlines.set(end);
  vi.advanceTimersByTime(TIMEOUT_MS - 1);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(end).toHaveBeenCalledOnce();
});

test('one that was cleared never passes, and may be cleared again', () => {
  const deadlines = createSharedDeadlines(TIMEOUT_MS);
  const end = vi.fn<() => void>();
  const deadline = deadlines.set(end);
  deadlines.clear(deadline);
  deadlines.clear(deadline);
  vi.advanceTimersByTime(2 * TIMEOUT_MS);
  expect(end).not.toHaveBeenCalled();
});

test('one that sets another when it passes is followed by it', () => {
  const deadlines = createSharedDeadlines(TIMEOUT_MS);
  const end = vi.fn<() => void>();
  deadlines.set(() => void deadlines.set(end));
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(end).toHaveBeenCalledOnce();
});

const step = fc.oneof(
  fc.constant('set' as const),
  fc.record({ clear: fc.nat(30) }),
  fc.record({ wait: fc.integer({ min: 1, max: 90 }) }),
);

test('however they are set and cleared, those that are left pass in their order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const deadlines = createSharedDeadlines(TIMEOUT_MS);
      const set: { deadline: Deadline; endsAt: number; isCleared: boolean }[] = [];
      const passed: number[] = [];
      let now = 0;
      for (const each of steps) {
        if (each === 'set') {
          const index = set.length;
          const deadline = deadlines.set(() => void passed.push(index));
          set.push({ deadline, endsAt: now + TIMEOUT_MS, isCleared: false });
        } else if ('clear' in each) {
          const chosen = set[each.clear];
          if (chosen === undefined) continue;
          deadlines.clear(chosen.deadline);
          if (chosen.endsAt > now) chosen.isCleared = true;
        } else {
          vi.advanceTimersByTime(each.wait);
          now += each.wait;
        }
        const due = set.flatMap(({ endsAt, isCleared }, index) =>
          endsAt <= now && !isCleared ? [index] : [],
        );
        expect(passed).toEqual(due);
      }
    }),
  );
});
