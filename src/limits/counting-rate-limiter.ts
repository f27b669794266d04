/** Owns the port to the library that counts: what its counters answer becomes a verdict. */
import { RateLimiterRes } from 'rate-limiter-flexible';

import type { RateLimit, RateLimiter } from '../domain/rate-limiter.ts';

/** Counts the uses of one limit's keys. Rejects with a `RateLimiterRes` when a key's uses are up. */
export interface Counter {
  consume(key: string): Promise<unknown>;
}

export interface CounterOptions {
  /** Differs between limits. */
  readonly keyPrefix: string;
  readonly points: number;
  /** In seconds. */
  readonly duration: number;
}

/** @param createCounter is called once for each limit, at its first use. */
export function createCountingRateLimiter(
  createCounter: (options: CounterOptions) => Counter,
): RateLimiter {
  const counters = new Map<string, Counter>();

  function findCounter({ name, count, windowMs }: RateLimit): Counter {
    const known = counters.get(name);
    if (known !== undefined) return known;
    const counter = createCounter({ keyPrefix: name, points: count, duration: windowMs / 1000 });
    counters.set(name, counter);
    return counter;
  }

  return {
    async consume(limit, key) {
      try {
        await findCounter(limit).consume(key);
        return { allowed: true };
      } catch (refusal) {
        // The library rejects with its answer when a limit is reached, and with an error otherwise.
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return { allowed: false, retryAfterMs: Math.max(1, Math.ceil(refusal.msBeforeNext)) };
      }
    },
  };
}
