/** Owns what is done in the background: gathered uses are written, and what has expired is forgotten. */
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';

import { forgetSpentKeys } from './domain/id-token.ts';
import type { Environment } from './domain/ports.ts';
import type { UseRecorder } from './domain/use-recorder.ts';

/** In milliseconds. */
const INTERVAL_MS = 30_000;
/** Rows of each kind that are forgotten at a time. */
const BATCH = 1000;

export interface Upkeep {
  /** Ends what is being done after its current step, and writes the uses once more. */
  readonly stop: () => Promise<void>;
}

export interface UpkeepOptions {
  readonly env: Pick<
    Environment,
    'store' | 'now' | 'newId' | 'sessionLifetime' | 'attemptRetention' | 'auditRetention'
  >;
  readonly recorders: readonly Pick<UseRecorder, 'flush'>[];
  readonly logger: Pick<Logger, 'warn'>;
  /** Between the beginnings of two rounds, in milliseconds. */
  readonly intervalMs?: number;
}

export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { env, recorders, logger, intervalMs = INTERVAL_MS } = options;
  const stopping = new AbortController();
  let round: Promise<void> | undefined;
  const timer = setInterval(() => {
    // A round that takes longer than the time between two is no reason to have several.
    round ??= work().finally(() => {
      round = undefined;
    });
  }, intervalMs);
  timer.unref();

  async function work(): Promise<void> {
    await record();
    await forget();
    await forgetSpentKeys(env).catch((error: unknown) =>
      logger.warn({ err: error }, 'signing keys not forgotten'),
    );
  }

  async function record(): Promise<void> {
    for (const recorder of recorders) {
      await recorder
        .flush()
        .catch((error: unknown) => logger.warn({ err: error }, 'uses not recorded'));
    }
  }

  /** Batch after batch while there is a full one, so that a long backlog does not last. */
  async function forget(): Promise<void> {
    const { sessionLifetime, attemptRetention, auditRetention, store } = env;
    try {
      let forgotten = BATCH;
      while (forgotten >= BATCH && !stopping.signal.aborted) {
        const expiry = {
          now: env.now(),
          sessionLifetime,
          attemptRetention,
          auditRetention,
          limit: BATCH,
        };
        forgotten = await store.transaction((tx) => tx.forgetExpired(expiry));
        // The embedded store works without giving way, and calls are to be answered meanwhile.
        await setImmediate();
      }
    } catch (error) {
      logger.warn({ err: error }, 'expired rows not forgotten');
    }
  }

  return {
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await round;
      await record();
    },
  };
}
