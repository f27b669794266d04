/**
 * Owns counting in this process's memory: every process counts for itself, and starts anew. A key takes some 400 bytes
 * until its window ends. How far a limit goes is not its business.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import type { RateLimit, RateLimiter } from '../domain/rate-limiter.ts';

export function createMemoryRateLimiter(): RateLimiter {
  const counters = new Map<string, RateLimiterMemory>();

  function findCounter({ name, count, windowMs }: RateLimit): RateLimiterMemory {
    const known = counters.get(name);
    if (known !== undefined) return known;
    const counter = new RateLimiterMemory({
      keyPrefix: name,
      points: count,
      duration: windowMs / 1000,
    });
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
