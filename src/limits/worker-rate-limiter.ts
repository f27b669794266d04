/**
 * Owns counting for the workers of one primary process, in the primary's memory: a limit holds whichever worker a
 * request reaches, and no use of it costs a write to the disk.
 */
import { RateLimiterCluster, RateLimiterClusterMaster } from 'rate-limiter-flexible';

import type { RateLimiter } from '../domain/rate-limiter.ts';
import { createCountingRateLimiter } from './counting-rate-limiter.ts';

/** How long a worker waits for the primary, which has nothing else to do, in milliseconds. */
const TIMEOUT_MS = 2000;

/** In the primary, before it has workers: what counts for them from then on. */
export function createPrimaryCounters(): RateLimiterClusterMaster {
  return new RateLimiterClusterMaster();
}

/** In a worker. Using it fails when the primary does not answer. */
export function createWorkerRateLimiter(): RateLimiter {
  return createCountingRateLimiter(
    (options) => new RateLimiterCluster({ ...options, timeoutMs: TIMEOUT_MS }),
  );
}
