import { describe, expect, it } from 'vitest';

import type { RateLimiter, RateLimitVerdict } from '../../src/domain/rate-limiter.ts';
import { rememberRefusals } from '../../src/limits/remember-refusals.ts';

const LIMIT = { name: 'test', count: 3, windowMs: 60_000 };

/** Answers as it is told, and tells what it was asked. */
function createShared(verdict: RateLimitVerdict): RateLimiter & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async consume({ name }, key) {
      asked.push(`${name}:${key}`);
      return verdict;
    },
  };
}

describe('a limiter that remembers refusals', () => {
  it('asks each time while a key is allowed', async () => {
    const shared = createShared({ allowed: true });
    const limiter = rememberRefusals(shared, () => 0);
    for (let use = 0; use < 5; use += 1) {
      expect(await limiter.consume(LIMIT, 'a')).toEqual({ allowed: true });
    }
    expect(shared.asked).toHaveLength(5);
  });

  it('asks no more for a key that was refused, until its window ends', async () => {
    const shared = createShared({ allowed: false, retryAfterMs: 1000 });
    let time = 50;
    const limiter = rememberRefusals(shared, () => time);
    expect(await limiter.consume(LIMIT, 'a')).toEqual({ allowed: false, retryAfterMs: 1000 });
    time += 400;
    expect(await limiter.consume(LIMIT, 'a')).toEqual({ allowed: false, retryAfterMs: 600 });
    await limiter.consume(LIMIT, 'b');
    await limiter.consume({ ...LIMIT, name: 'other' }, 'a');
    expect(shared.asked).toEqual(['test:a', 'test:b', 'other:a']);
    time += 600;
    await limiter.consume(LIMIT, 'a');
    expect(shared.asked).toHaveLength(4);
  });

  it('forgets the oldest refusals before they are too many', async () => {
    const shared = createShared({ allowed: false, retryAfterMs: 1000 });
    const limiter = rememberRefusals(shared, () => 0);
    for (let key = 0; key <= 10_000; key += 1) await limiter.consume(LIMIT, String(key));
    await limiter.consume(LIMIT, '10000');
    expect(shared.asked).toHaveLength(10_001);
    await limiter.consume(LIMIT, '0');
    expect(shared.asked).toHaveLength(10_002);
  });
});
