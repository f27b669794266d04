/** Owns what is done in the background: gathered uses are written, and what has expired is forgotten. */
import type { Logger } from 'pino';

import type { Environment } from './domain/ports.ts';
import type { UseRecorder } from './domain/use-recorder.ts';

/** In milliseconds. */
const INTERVAL_MS = 30_000;
/** Rows of each kind that are forgotten at a time. */
const BATCH = 1000;

export interface Upkeep {
  /** Does the work once more, then no more. */
  readonly stop: () => Promise<void>;
}

export function startUpkeep(options: {
  readonly env: Environment;
  readonly recorders: readonly UseRecorder[];
  readonly logger: Logger;
}): Upkeep {
  const { env, recorders, logger } = options;
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(work).then(forget);
  }, INTERVAL_MS);
  timer.unref();

  async function work(): Promise<void> {
    for (const recorder of recorders) {
      await recorder
        .flush()
        .catch((error: unknown) => logger.warn({ err: error }, 'uses not recorded'));
    }
  }

  /** Batch after batch while there is a full one, so that a long backlog does not last. */
  async function forget(): Promise<void> {
    const { sessionLifetime, attemptRetention, store } = env;
    try {
      let forgotten = BATCH;
      while (forgotten >= BATCH) {
        const expiry = { now: env.now(), sessionLifetime, attemptRetention, limit: BATCH };
        forgotten = await store.transaction((tx) => tx.forgetExpired(expiry));
      }
    } catch (error) {
      logger.warn({ err: error }, 'expired rows not forgotten');
    }
  }

  return {
    async stop() {
      clearInterval(timer);
      await running;
      await work();
    },
  };
}
