/** Owns what the log holds. Calls are described by `CallRecord`, which has no room for a secret. */
import { pino } from 'pino';
import type { Logger } from 'pino';

import type { Config } from './config.ts';
import type { CallRecord, ObserveCall } from './rpc/call-record.ts';

/** Structured lines on standard error, so that standard output stays free for what a person is to read. */
export function createLogger(level: Config['logLevel']): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}

export function createCallObserver(logger: Logger): ObserveCall {
  return ({ cause, ...call }: CallRecord) => {
    const line = { ...call, durationMs: Math.round(call.durationMs * 1000) / 1000 };
    if (cause === undefined) logger.debug(line, 'call');
    else logger.error({ ...line, err: cause }, 'call failed on our side');
  };
}
