/** Owns the waiting for other processes that write to the same file, without keeping this one from its other work. */
import { setTimeout } from 'node:timers/promises';
import { isBusy } from './sqlite-errors.ts';

/** In milliseconds. SQLite itself waits before it says that it is busy. */
const PAUSE = 10;

/** @param until by `performance.now()`; there is one attempt at least. */
export async function retryWhileBusy<Result>(
  attempt: () => Result,
  until: number,
): Promise<Result> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error;
    }
    await setTimeout(PAUSE);
  }
}
