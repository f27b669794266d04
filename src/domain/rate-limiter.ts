/**
 * Owns the port that counts how often something is done. What is limited, and how far, is in `login-limits.ts` and
 * `trial-limits.ts`.
 */

/** So many times in so long. */
export interface RateLimit {
  /** Keeps the keys of one limit apart from those of another. */
  readonly name: string;
  readonly count: number;
  readonly windowMs: number;
}

export type RateLimitVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly retryAfterMs: number };

export interface RateLimiter {
  /**
   * Counts one use of the key. A window begins with a key's first use, and everything is allowed again when it ends,
   * however often the key was refused meanwhile.
   */
  consume(limit: RateLimit, key: string): Promise<RateLimitVerdict>;
}
