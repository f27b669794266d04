/**
 * Owns how long one login, or one check, may take at an identity provider in all. Each request has a limit of its own
 * (`guarded-fetch.ts`), and several of them add up to more than whoever waits for the answer waits.
 */
import { LoginFailure } from '../domain/login-failure.ts';
import type { LoginStage } from '../domain/login-failure.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import type { Endpoint } from './outbound-failure.ts';

/** In milliseconds. The browser's request ends after 30 seconds, a call after 25. */
export const TIME_BUDGET = 20_000;

/** Requests that are given up with the signal. */
export function limitRequests(guarded: GuardedFetch, signal: AbortSignal): GuardedFetch {
  return {
    ...guarded,
    fetch: (url, request = {}) =>
      guarded.fetch(url, {
        ...request,
        signal: request.signal === undefined ? signal : AbortSignal.any([signal, request.signal]),
      }),
  };
}

/** Waits for what others may be waiting for as well: it goes on without us. */
export async function waitWithin<Value>(
  signal: AbortSignal,
  loading: Promise<Value>,
  stage: LoginStage,
  endpoint: Endpoint,
): Promise<Value> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const giveUp = (): void =>
    reject(
      new LoginFailure(
        stage,
        'issuer_timeout',
        `${endpoint}: The time for all requests together was over.`,
      ),
    );
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([loading, over]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
