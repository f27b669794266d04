/**
 * Owns remembering one value that costs a request: for how long, and how often it may be asked for again.
 *
 *     get      fresh ─▶ the value        stale or none ─▶ load        failed in the last 30 s ─▶ the same failure
 *     refresh  not refreshed in the last 30 s ─▶ load                 else as get
 *
 * There is one load at a time; all who ask meanwhile share its outcome. A stale value is never given out: a key that
 * the identity provider has withdrawn must not outlive its time because its server is down.
 */
import type { Clock } from '../domain/ports.ts';

export interface RememberedValueOptions<Value> {
  readonly load: () => Promise<Value>;
  readonly now: Clock;
  /** How long a value is fresh, in milliseconds. */
  readonly lifetimeMs: number;
  /** How long after a failure, or after a refresh, nothing is loaded on that account, in milliseconds. */
  readonly cooldownMs: number;
}

export interface RememberedValue<Value> {
  get(): Promise<Value>;
  /** For when the value proved too old. */
  refresh(): Promise<Value>;
  /** As `refresh`, but leaves the loading to whoever asks next. */
  distrust(): void;
}

type Outcome<Value> =
  | { readonly value: Value; readonly at: number }
  | { readonly failure: unknown; readonly at: number };

export function createRememberedValue<Value>(
  options: RememberedValueOptions<Value>,
): RememberedValue<Value> {
  let outcome: Outcome<Value> | undefined;
  let loading: Promise<Value> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;

  const nowMs = (): number => options.now().getTime();

  const load = async (): Promise<Value> => {
    try {
      const value = await options.load();
      outcome = { value, at: nowMs() };
      return value;
    } catch (failure) {
      outcome = { failure, at: nowMs() };
      throw failure;
    } finally {
      loading = undefined;
    }
  };
  const loadOnce = (): Promise<Value> => (loading ??= load());

  const takeRefresh = (): boolean => {
    if (nowMs() - refreshedAt < options.cooldownMs) return false;
    refreshedAt = nowMs();
    return true;
  };

  const get = async (): Promise<Value> => {
    if (loading === undefined && outcome !== undefined) {
      const age = nowMs() - outcome.at;
      if ('value' in outcome && age < options.lifetimeMs) return outcome.value;
      if ('failure' in outcome && age < options.cooldownMs) throw outcome.failure;
    }
    return loadOnce();
  };

  return {
    get,
    refresh: () => (takeRefresh() ? loadOnce() : get()),
    distrust() {
      if (takeRefresh()) outcome = undefined;
    },
  };
}
