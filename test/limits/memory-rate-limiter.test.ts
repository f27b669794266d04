import { describe, expect, it } from 'vitest';

import { createMemoryRateLimiter } from '../../src/limits/memory-rate-limiter.ts';

const LIMIT = { name: 'test', count: 3, windowMs: 60_000 };

describe('the limiter in memory', () => {
  it('allows so many uses of a key, then says when to come again', async () => {
    const limiter = createMemoryRateLimiter();
    for (let use = 0; use < LIMIT.count; use += 1) {
      expect(await limiter.consume(LIMIT, 'a')).toEqual({ allowed: true });
    }
    for (let use = 0; use < 100; use += 1) {
      const verdict = await limiter.consume(LIMIT, 'a');
      expect(verdict.allowed).toBe(false);
      const retryAfterMs = verdict.allowed ? 0 : verdict.retryAfterMs;
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(LIMIT.windowMs);
    }
  });

  it('counts each key, each limit and each limiter for itself', async () => {
    const limiter = createMemoryRateLimiter();
    const once = { ...LIMIT, name: 'once', count: 1 };
    expect(await limiter.consume(once, 'a')).toEqual({ allowed: true });
    expect(await limiter.consume(once, 'a')).toMatchObject({ allowed: false });
    expect(await limiter.consume(once, 'b')).toEqual({ allowed: true });
    expect(await limiter.consume(once, '__proto__')).toEqual({ allowed: true });
    expect(await limiter.consume(LIMIT, 'a')).toEqual({ allowed: true });
    expect(await createMemoryRateLimiter().consume(once, 'a')).toEqual({ allowed: true });
  });

  it('allows again when the window is over', async () => {
    const limiter = createMemoryRateLimiter();
    const brief = { name: 'brief', count: 1, windowMs: 50 };
    expect(await limiter.consume(brief, 'a')).toEqual({ allowed: true });
    await expect.poll(async () => (await limiter.consume(brief, 'a')).allowed).toBe(true);
  });
});
