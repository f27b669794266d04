/**
 * Owns sparing a shared limiter: a key that has been refused is refused here until its window ends, so that a flood
 * costs each process what it costs without a database.
 */
import type { RateLimit, RateLimiter } from '../domain/rate-limiter.ts';

/** Keys remembered at most; of more, the oldest are asked for again. */
const MAX_KEYS = 10_000;

/** @param now by a clock that never goes back, in milliseconds. */
export function rememberRefusals(shared: RateLimiter, now: () => number): RateLimiter {
  /** When each key is allowed again, in the order of the refusals. */
  const refused = new Map<string, number>();
  return {
    async consume(limit: RateLimit, key) {
      const name = `${limit.name}:${key}`;
      const remaining = (refused.get(name) ?? 0) - now();
      if (remaining > 0) return { allowed: false, retryAfterMs: Math.ceil(remaining) };
      refused.delete(name);
      const verdict = await shared.consume(limit, key);
      if (!verdict.allowed) {
        const [oldest] = refused.keys();
        if (refused.size >= MAX_KEYS && oldest !== undefined) refused.delete(oldest);
        refused.set(name, now() + verdict.retryAfterMs);
      }
      return verdict;
    },
  };
}
