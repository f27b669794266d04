/**
 * Owns whether calls can be served: the store is asked for a durable write, at most once a second however many ask us,
 * and is given up before those who ask give us up. It refuses to own what becomes of the answer.
 */
import { DomainError } from './errors.ts';

/** In milliseconds. What a balancer learns is as old as the first, and comes as late as the second. */
export const READINESS_TIMES = { maxAgeMs: 1_000, timeoutMs: 1_500 } as const;

export interface ReadinessOptions {
  /** Resolves when the store has written. */
  readonly ping: () => Promise<void>;
  /** By a clock that never goes back, in milliseconds. */
  readonly now: () => number;
  readonly maxAgeMs?: number;
  readonly timeoutMs?: number;
}

/** Resolves when calls can be served; fails with why they cannot, to be told in the log alone. */
export type CheckReadiness = () => Promise<void>;

export function createReadinessCheck(options: ReadinessOptions): CheckReadiness {
  const { ping, now } = options;
  const { maxAgeMs = READINESS_TIMES.maxAgeMs, timeoutMs = READINESS_TIMES.timeoutMs } = options;
  let last: { readonly answer: Promise<void>; endedAt: number | undefined } | undefined;

  return () => {
    if (last !== undefined && (last.endedAt === undefined || now() - last.endedAt < maxAgeMs))
      return last.answer;
    const probe: typeof last = {
      answer: giveUpAfter(timeoutMs, ping().catch(passOverLackOfSpace)),
      endedAt: undefined,
    };
    const end = (): void => {
      probe.endedAt = now();
    };
    probe.answer.then(end, end);
    last = probe;
    return probe.answer;
  };
}

/** Reading goes on, and would end if a balancer took the server out; what cannot be written says so call by call. */
function passOverLackOfSpace(error: unknown): void {
  if (!(error instanceof DomainError && error.code === 'resource_exhausted')) throw error;
}

async function giveUpAfter(timeoutMs: number, pinging: Promise<void>): Promise<void> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`The store did not write within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    await Promise.race([pinging, over]);
  } finally {
    clearTimeout(timer);
  }
}
