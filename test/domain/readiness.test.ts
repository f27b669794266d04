import { expect, test } from 'vitest';

import { DomainError } from '../../src/domain/errors.ts';
import { createReadinessCheck } from '../../src/domain/readiness.ts';

function prepareCheck(answer: () => Promise<void> = async () => {}) {
  const seen = { pings: 0, now: 0 };
  const check = createReadinessCheck({
    ping: () => {
      seen.pings += 1;
      return answer();
    },
    now: () => seen.now,
    maxAgeMs: 1000,
    timeoutMs: 10,
  });
  return { seen, check };
}

test('However many ask within a second, the store writes once', async () => {
  const { seen, check } = prepareCheck();
  await Promise.all(Array.from({ length: 100 }, check));
  seen.now = 999;
  await check();
  expect(seen.pings).toBe(1);
  seen.now = 1000;
  await check();
  expect(seen.pings).toBe(2);
});

test('A failure is told to all, and forgotten as fast as a success', async () => {
  const store = { broken: true };
  const { seen, check } = prepareCheck(async () => {
    if (store.broken) throw new Error('no store');
  });
  const answers = await Promise.allSettled([check(), check()]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  store.broken = false;
  await expect(check()).rejects.toThrow('no store');
  seen.now = 1000;
  await expect(check()).resolves.toBeUndefined();
});

test('A store that never answers is given up', async () => {
  const { check } = prepareCheck(() => new Promise(() => {}));
  await expect(check()).rejects.toThrow('did not write within 10 ms');
});

test('A store without space is ready: it goes on reading, and refuses writes one by one', async () => {
  const { check } = prepareCheck(async () => {
    throw new DomainError('resource_exhausted', 'There is no space left.');
  });
  await expect(check()).resolves.toBeUndefined();
});
