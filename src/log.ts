/** Owns what the log holds. Calls and logins are described by records that have no room for a secret. */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

import type { Config } from './config.ts';
import type { LoginRecord, ObserveLogin } from './login/routes.ts';
import type { CallRecord, ObserveCall } from './rpc/call-record.ts';

/** Structured lines on standard error, so that standard output stays free for what a person is to read. */
export function createLogger(
  level: Config['logLevel'],
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeCause },
    },
    destination,
  );
}

export function createCallObserver(logger: Logger): ObserveCall {
  return ({ cause, ...call }: CallRecord) => {
    const line = { ...call, durationMs: Math.round(call.durationMs * 1000) / 1000 };
    if (cause === undefined) logger.debug(line, 'call');
    else logger.error({ ...line, err: cause }, 'call failed on our side');
  };
}

/** What is refused without a record for an admin is told at the level of what everybody can cause. */
export function createLoginObserver(logger: Logger): ObserveLogin {
  return ({ cause, ...refusal }: LoginRecord) => {
    if (cause === undefined) logger.info(refusal, 'login refused');
    else logger.error({ ...refusal, err: cause }, 'login failed on our side');
  };
}

/** Of an error no more than this: Node's and the libraries' carry requests with them, and those carry secrets. */
function describeCause(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'something that is no error was thrown' };
  const { name, message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return {
    name,
    ...code,
    message,
    stack,
    ...(cause !== undefined && { cause: describeCause(cause) }),
  };
}
