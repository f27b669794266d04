/** Owns how often an organization may check, try and preview its configurations. */
import { DomainError } from './errors.ts';
import type { Environment } from './ports.ts';
import type { RateLimit } from './rate-limiter.ts';

const MINUTE_MS = 60_000;

/**
 * Each by organization. Checks and test logins make us send requests to wherever the admin says, previews and
 * evaluations take processor time: neither must be had without end.
 */
const TRIAL_LIMITS = {
  check: { name: 'sso-check', count: 20, windowMs: MINUTE_MS },
  testLogin: { name: 'sso-test-login', count: 20, windowMs: MINUTE_MS },
  preview: { name: 'sso-preview', count: 60, windowMs: MINUTE_MS },
  evaluate: { name: 'sso-evaluate', count: 300, windowMs: MINUTE_MS },
} as const satisfies Readonly<Record<string, RateLimit>>;

/** Fails with `resource_exhausted` and `retryAfterMs`. */
export async function limitTrial(
  { rateLimiter }: Pick<Environment, 'rateLimiter'>,
  kind: keyof typeof TRIAL_LIMITS,
  organizationId: string,
): Promise<void> {
  const verdict = await rateLimiter.consume(TRIAL_LIMITS[kind], organizationId);
  if (verdict.allowed) return;
  const { retryAfterMs } = verdict;
  throw new DomainError(
    'resource_exhausted',
    'Your organization asks for this too often. Wait, then try again.',
    { reason: 'RATE_LIMITED', retryAfterMs },
  );
}
