/**
 * Owns counting in this process's memory: every process counts for itself, and starts anew. A key takes some 400 bytes
 * until its window ends. How far a limit goes is not its business.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible';

import type { RateLimiter } from '../domain/rate-limiter.ts';
import { createCountingRateLimiter } from './counting-rate-limiter.ts';

export function createMemoryRateLimiter(): RateLimiter {
  return createCountingRateLimiter((options) => new RateLimiterMemory(options));
}
