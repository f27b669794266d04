/** Owns telling somebody of each refusal, by the name of the limit. */
import type { RateLimiter } from '../domain/rate-limiter.ts';

export function watchRefusals(limiter: RateLimiter, note: (limit: string) => void): RateLimiter {
  return {
    async consume(limit, key) {
      const verdict = await limiter.consume(limit, key);
      if (!verdict.allowed) note(limit.name);
      return verdict;
    },
  };
}
