/** Owns what a check-up says of one thing: how it is, what was seen, and what to do. */

export interface Finding {
  /** What was looked at, such as `store` or `issuer https://idp.example.com`. */
  readonly check: string;
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** Holds no secret. */
  readonly seen: string;
  /** Empty when nothing is to be done. */
  readonly advice: string;
}

export const ok = (check: string, seen: string): Finding => ({
  check,
  outcome: 'ok',
  seen,
  advice: '',
});

export const warn = (check: string, seen: string, advice: string): Finding => ({
  check,
  outcome: 'warning',
  seen,
  advice,
});

export const fail = (check: string, seen: string, advice: string): Finding => ({
  check,
  outcome: 'failed',
  seen,
  advice,
});

/** In milliseconds. Beyond the second, ID tokens are refused as too old or too new. */
export const CLOCK_LIMITS = { warning: 5_000, failed: 30_000 } as const;

/** @param offsetMs how far the other clock is ahead of ours */
export function judgeClock(check: string, offsetMs: number, whose: string): Finding {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1);
  const seen = `The clock of ${whose} is ${seconds} s ${offsetMs < 0 ? 'behind' : 'ahead of'} this machine's.`;
  if (Math.abs(offsetMs) < CLOCK_LIMITS.warning) return ok(check, seen);
  const judge = Math.abs(offsetMs) < CLOCK_LIMITS.failed ? warn : fail;
  return judge(
    check,
    seen,
    'Have both machines follow a time server (NTP): beyond 30 s ID tokens are refused.',
  );
}
