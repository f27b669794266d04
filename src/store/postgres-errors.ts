/**
 * Owns what becomes of PostgreSQL's errors: the one place where they turn into ours, so that no driver's error and no
 * SQL text goes further. What PostgreSQL said is kept as the cause, for the log, without the details that repeat rows.
 */
import pg from 'pg';
import { DomainError } from '../domain/errors.ts';
import type { ErrorReason } from '../domain/errors.ts';
import { createTakenErrorForName } from './unique-keys.ts';

/** By the code, or by its class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const FAILURES = {
  '08': 'lost',
  '0A000': 'stale',
  '22021': 'text',
  '22P05': 'text',
  '23503': 'orphan',
  '23505': 'taken',
  '25006': 'readonly',
  '25P03': 'lost',
  '26000': 'stale',
  '28': 'denied',
  '3D000': 'denied',
  '40001': 'conflict',
  '40P01': 'conflict',
  '42501': 'denied',
  '53': 'overloaded',
  '53100': 'full',
  '55P03': 'busy',
  '57014': 'busy',
  '57P01': 'lost',
  '57P02': 'lost',
  '57P03': 'overloaded',
  '57P04': 'lost',
  '57P05': 'lost',
  '58': 'lost',
  XX001: 'damaged',
  XX002: 'damaged',
} as const;

export type PostgresFailure =
  | (typeof FAILURES)[keyof typeof FAILURES]
  /** The server did not answer in time. */
  | 'silent'
  /** The connection was lost while a transaction was being committed. */
  | 'undecided'
  | 'closed'
  | 'other';

const FAILURE_BY_CODE: ReadonlyMap<string, PostgresFailure> = new Map(Object.entries(FAILURES));

/** What is over with the transaction, and likely to go well when it is done again. */
const PASSING: ReadonlySet<PostgresFailure> = new Set([
  'lost',
  'stale',
  'readonly',
  'conflict',
  'overloaded',
]);

/** After these the connection is of no more use. */
const ENDING: ReadonlySet<PostgresFailure> = new Set([
  'lost',
  'stale',
  'readonly',
  'silent',
  'undecided',
  'damaged',
]);

/** How long a caller does well to wait, in milliseconds. */
const RETRY_AFTER = { busy: 250, broken: 1000 } as const;

/** What PostgreSQL, or the way to it, failed with. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly failure: PostgresFailure;
  /** PostgreSQL's SQLSTATE, or the system's code. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;

  constructor(
    failure: PostgresFailure,
    message: string,
    given: { readonly code?: string | undefined; readonly constraint?: string | undefined } = {},
  ) {
    super(message);
    this.failure = failure;
    this.code = given.code;
    this.constraint = given.constraint;
  }
}

/** From what `pg` fails with. Details and hints stay behind: they repeat what is in rows. */
export function readPostgresError(error: unknown): PostgresError {
  if (error instanceof PostgresError) return error;
  if (error instanceof pg.DatabaseError) {
    const { message, code = '', constraint } = error;
    const failure = FAILURE_BY_CODE.get(code) ?? FAILURE_BY_CODE.get(code.slice(0, 2)) ?? 'other';
    return new PostgresError(failure, message, { code, constraint });
  }
  if (!(error instanceof Error)) return new PostgresError('lost', 'an unknown failure');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // What `pg` says when its own timer ends; all else that does not come from the server is about the connection.
  const silent = error.message === 'Query read timeout' || error.message === 'timeout expired';
  // Several addresses of one name fail with several errors, and no message.
  const message = error.message === '' ? (code ?? 'no connection') : error.message;
  return new PostgresError(silent ? 'silent' : 'lost', message, { code });
}

/** Looks through our own errors into their causes. */
export function findPostgresError(error: unknown): PostgresError | undefined {
  if (error instanceof PostgresError) return error;
  return error instanceof Error ? findPostgresError(error.cause) : undefined;
}

export function findPostgresFailure(error: unknown): PostgresFailure | undefined {
  return findPostgresError(error)?.failure;
}

export function isPassing(error: unknown): boolean {
  const failure = findPostgresFailure(error);
  return failure !== undefined && PASSING.has(failure);
}

/** Whether the connection that this happened on is of no more use. */
export function endsConnection(error: unknown): boolean {
  const failure = findPostgresFailure(error);
  return failure !== undefined && ENDING.has(failure);
}

/** Turns what `pg` throws into what the store's port promises. */
export function translatePostgresError(error: unknown): Error {
  if (error instanceof DomainError) return error;
  const cause = readPostgresError(error);
  const unavailable = (reason: ErrorReason, message: string, retryAfterMs: number): DomainError =>
    new DomainError('unavailable', message, { reason, cause, retryAfterMs });
  switch (cause.failure) {
    case 'lost':
    case 'stale':
    case 'readonly':
    case 'silent':
    case 'denied':
      return unavailable(
        'DATABASE_UNREACHABLE',
        'The database cannot be reached. Try again in a moment.',
        RETRY_AFTER.broken,
      );
    case 'undecided':
      return unavailable(
        'OUTCOME_UNKNOWN',
        'The database was lost while it saved the change, which may have been made or not. Read it before you try again.',
        RETRY_AFTER.broken,
      );
    case 'busy':
    case 'conflict':
    case 'overloaded':
      return unavailable(
        'DATABASE_BUSY',
        'The database is busy. Try again in a moment.',
        RETRY_AFTER.busy,
      );
    case 'closed':
      return unavailable(
        'SERVER_ENDING',
        'The server is shutting down. Try again in a moment.',
        RETRY_AFTER.broken,
      );
    case 'full':
      return new DomainError(
        'resource_exhausted',
        'The database has no space left: nothing was changed, and reading goes on. Ask the operator to free space on its disk.',
        { reason: 'STORAGE_FULL', cause },
      );
    case 'taken':
      return createTakenErrorForName(cause.constraint ?? '');
    case 'orphan':
      return new DomainError(
        'aborted',
        'What this belongs to has been deleted meanwhile. Read it again before you try again.',
        { reason: 'PARENT_DELETED' },
      );
    case 'text':
      return new DomainError(
        'invalid_argument',
        'Text cannot be stored with the character U+0000 in it. Leave it out.',
      );
    case 'damaged':
      return new Error('The database is damaged', { cause });
    case 'other':
      return new Error('The database refused a statement', { cause });
  }
}
