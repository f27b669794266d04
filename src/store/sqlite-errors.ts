/**
 * Owns what becomes of SQLite's errors: the one place where they turn into ours, so that no driver's error and no SQL
 * text goes further. What SQLite said is kept as the cause, for the log.
 */
import { DomainError } from '../domain/errors.ts';
import { createTakenErrorForColumns } from './unique-keys.ts';

/** Result codes (https://www.sqlite.org/rescode.html). */
const FAILURES = [
  [3, 'perm'],
  [5, 'busy'],
  [6, 'locked'],
  [8, 'readonly'],
  [10, 'ioerr'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'cantopen'],
  [15, 'protocol'],
  [19, 'constraint'],
  [23, 'auth'],
  [26, 'notadb'],
] as const;

const CONSTRAINT_FOREIGN_KEY = 787;
const CONSTRAINT_PRIMARY_KEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** How long a caller does well to wait, in milliseconds. */
const RETRY_AFTER = { busy: 250, broken: 1000 } as const;

export type SqliteFailure = (typeof FAILURES)[number][1] | 'closed' | 'other';

const FAILURE_BY_CODE: ReadonlyMap<number, SqliteFailure> = new Map(FAILURES);

/** What SQLite failed with; looks through our own errors into their causes. `undefined` when it was not SQLite. */
export function readSqliteFailure(error: unknown): SqliteFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = readResultCode(error);
  if (code !== undefined) return FAILURE_BY_CODE.get(code & 0xff) ?? 'other';
  // Said of a database that has been closed.
  if ('code' in error && error.code === 'ERR_INVALID_STATE') return 'closed';
  return readSqliteFailure(error.cause);
}

/** Whether another process is writing just now. */
export function isBusy(error: unknown): boolean {
  const failure = readSqliteFailure(error);
  return failure === 'busy' || failure === 'locked';
}

/** Turns what `node:sqlite` throws into what the store's port promises. */
export function translateSqliteError(error: unknown): Error {
  if (error instanceof DomainError) return error;
  const failure = readSqliteFailure(error);
  switch (failure) {
    case 'busy':
    case 'locked':
    case 'protocol':
      return createBusyError(error);
    case 'full':
      return new DomainError(
        'resource_exhausted',
        'The database has no space left: nothing was changed, and reading goes on. Ask the operator to free space on its disk.',
        { reason: 'STORAGE_FULL', cause: error },
      );
    case 'constraint':
      return translateConstraint(error);
    case 'perm':
    case 'readonly':
    case 'ioerr':
    case 'cantopen':
    case 'auth':
      return new DomainError(
        'unavailable',
        'The database cannot be reached. Try again in a moment.',
        { reason: 'DATABASE_UNREACHABLE', cause: error, retryAfterMs: RETRY_AFTER.broken },
      );
    case 'closed':
      return new DomainError('unavailable', 'The server is shutting down. Try again in a moment.', {
        reason: 'SERVER_ENDING',
        cause: error,
        retryAfterMs: RETRY_AFTER.broken,
      });
    case 'corrupt':
    case 'notadb':
      return new Error('The database file is damaged', { cause: error });
    case 'other':
    case undefined:
      return new Error('The database refused a statement', { cause: error });
  }
}

/** Runs what may fail with an error of the driver's. */
export function runTranslated<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw translateSqliteError(error);
  }
}

export function createBusyError(cause?: unknown): DomainError {
  return new DomainError('unavailable', 'The database is busy. Try again in a moment.', {
    reason: 'DATABASE_BUSY',
    cause,
    retryAfterMs: RETRY_AFTER.busy,
  });
}

function translateConstraint(error: unknown): Error {
  const code = error instanceof Error ? readResultCode(error) : undefined;
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARY_KEY) {
    const [table = '', ...columns] = readClashingColumns(error);
    return createTakenErrorForColumns(table, columns);
  }
  if (code === CONSTRAINT_FOREIGN_KEY) {
    return new DomainError(
      'aborted',
      'What this belongs to has been deleted meanwhile. Read it again before you try again.',
      { reason: 'PARENT_DELETED' },
    );
  }
  return new Error('The database refused a row', { cause: error });
}

/** From `UNIQUE constraint failed: table.column, table.other`: the table, then its columns. */
function readClashingColumns(error: unknown): readonly string[] {
  const message = error instanceof Error ? error.message : '';
  const names = message.slice(message.indexOf(': ') + 2).split(', ');
  const [table = ''] = names[0]?.split('.') ?? [];
  return [table, ...names.map((name) => name.slice(name.indexOf('.') + 1))];
}

/** The extended result code, which `node:sqlite` calls `errcode`. */
function readResultCode(error: Error): number | undefined {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}
