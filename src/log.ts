/**
 * Owns what the log holds: the fields that a line can have, and no others. Whatever is handed to the logger besides them
 * is left out, so that a secret would have to be put into one of them on purpose. docs/observability.md explains each
 * field, and a test compares the two.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

import type { Config } from './config.ts';
import type { LoginRecord, ObserveLogin } from './login/routes.ts';
import type { CallRecord, ObserveCall } from './rpc/call-record.ts';

/** Of texts, numbers and truth values. `level`, `time` and `msg` are pino's, and every line has them. */
export const LOG_FIELDS: ReadonlySet<string> = new Set([
  'requestId',
  'traceId',
  'method',
  'protocol',
  'userId',
  'credential',
  'code',
  'durationMs',
  'route',
  'outcome',
  'stage',
  'ssoConfigurationId',
  'attemptId',
  'detail',
  'place',
  'signal',
  'worker',
  'pid',
  'exitCode',
]);

/** The one field that is an object, of which `describeCause` says what is taken. */
const ERROR_FIELD = 'err';

/** Characters of one text. */
const MAX_LENGTH = 4_000;
/** Causes of causes. */
const MAX_DEPTH = 5;

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
      serializers: { [ERROR_FIELD]: (error: unknown) => describeCause(error) },
      formatters: { log: keepKnownFields },
    },
    destination,
  );
}

/** Of calls that go well. It is off by default: there are many, and each costs a line. */
export const SUCCESS_LEVEL = 'debug';

export function createCallObserver(logger: Logger): ObserveCall {
  return ({ cause, ...call }: CallRecord) => {
    if (cause === undefined && !logger.isLevelEnabled(SUCCESS_LEVEL)) return;
    const line = { ...call, durationMs: Math.round(call.durationMs * 1000) / 1000 };
    if (cause === undefined) logger[SUCCESS_LEVEL](line, 'call');
    else logger.error({ ...line, err: cause }, 'call failed on our side');
  };
}

const LOGIN_MESSAGES = {
  admitted: 'session opened',
  refused: 'login refused',
  failed: 'login failed on our side',
} as const;

/** What anybody can cause is no more than information. */
export function createLoginObserver(logger: Logger): ObserveLogin {
  return ({ cause, ...login }: LoginRecord) => {
    const message = LOGIN_MESSAGES[login.outcome];
    if (cause === undefined) logger.info(login, message);
    else logger.error({ ...login, err: cause }, message);
  };
}

function keepKnownFields(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line)) {
    if (name === ERROR_FIELD) kept[name] = value;
    else if (LOG_FIELDS.has(name) && typeof value === 'string') kept[name] = cut(value);
    else if (LOG_FIELDS.has(name) && (typeof value === 'number' || typeof value === 'boolean'))
      kept[name] = value;
  }
  return kept;
}

/**
 * Of an error no more than this: Node's and the libraries' carry requests with them (`rawPacket`, headers, bodies), and
 * those carry secrets.
 */
function describeCause(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: 'something that is no error was thrown' };
  const { name, message, stack, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: cut(error.code) } : {};
  return {
    name: cut(name),
    ...code,
    message: cut(message),
    ...(stack !== undefined && { stack: cut(stack) }),
    ...(cause !== undefined && depth < MAX_DEPTH && { cause: describeCause(cause, depth + 1) }),
  };
}

function cut(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
}
