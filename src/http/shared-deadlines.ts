/**
 * Owns deadlines that are the same for all: they pass in the order in which they were set, so one timer is enough. A
 * timer for each call, set and cleared again, takes ten times as long.
 */
export interface Deadline {
  /** `performance.now()` when it passes. */
  readonly at: number;
  readonly end: () => void;
  earlier: Deadline | undefined;
  later: Deadline | undefined;
}

export interface SharedDeadlines {
  /** @param end run when the time is over, unless it is cleared before; must not throw */
  readonly set: (end: () => void) => Deadline;
  readonly clear: (deadline: Deadline) => void;
}

/** @param timeoutMs after which each passes, in milliseconds: at most 2³¹ − 1 */
export function createSharedDeadlines(timeoutMs: number): SharedDeadlines {
  // A list whose members know their neighbours: a Set of what comes and goes so fast is always making itself anew.
  let first: Deadline | undefined;
  let last: Deadline | undefined;
  let timer: NodeJS.Timeout | undefined;

  const clear = (deadline: Deadline): void => {
    const { earlier, later } = deadline;
    if (earlier === undefined && deadline !== first) return;
    if (earlier === undefined) first = later;
    else earlier.later = later;
    if (later === undefined) last = earlier;
    else later.earlier = earlier;
    deadline.earlier = undefined;
    deadline.later = undefined;
  };
  const check = (): void => {
    timer = undefined;
    const now = performance.now();
    for (let oldest = first; oldest !== undefined && oldest.at <= now; oldest = first) {
      clear(oldest);
      oldest.end();
    }
    if (first !== undefined) wait(first.at - now);
  };
  const wait = (milliseconds: number): void => {
    // Whoever waits keeps the process alive by a connection.
    timer = setTimeout(check, Math.ceil(milliseconds)).unref();
  };

  return {
    set(end) {
      const at = performance.now() + timeoutMs;
      const deadline: Deadline = { at, end, earlier: last, later: undefined };
      if (last === undefined) first = deadline;
      else last.later = deadline;
      last = deadline;
      if (timer === undefined) wait(timeoutMs);
      return deadline;
    },
    clear,
  };
}
