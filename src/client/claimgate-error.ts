/**
 * Owns the one error that every call of the client throws, and how it is made of what the protocols deliver. It
 * refuses to own retries: whether to call again is the caller's decision.
 */
import { Code, ConnectError } from '@connectrpc/connect';

import { readReason, readRetryAfterMs, readViolations } from './error-details.ts';
import type { FieldViolation } from './error-details.ts';

const CODES = {
  [Code.Canceled]: 'canceled',
  [Code.Unknown]: 'unknown',
  [Code.InvalidArgument]: 'invalid_argument',
  [Code.DeadlineExceeded]: 'deadline_exceeded',
  [Code.NotFound]: 'not_found',
  [Code.AlreadyExists]: 'already_exists',
  [Code.PermissionDenied]: 'permission_denied',
  [Code.ResourceExhausted]: 'resource_exhausted',
  [Code.FailedPrecondition]: 'failed_precondition',
  [Code.Aborted]: 'aborted',
  [Code.OutOfRange]: 'out_of_range',
  [Code.Unimplemented]: 'unimplemented',
  [Code.Internal]: 'internal',
  [Code.Unavailable]: 'unavailable',
  [Code.DataLoss]: 'data_loss',
  [Code.Unauthenticated]: 'unauthenticated',
} as const satisfies Record<Code, string>;

/**
 * Why a call failed, spelled as in the Connect protocol, whichever protocol carried it.
 *
 * Those to expect: `unauthenticated` (no valid token), `permission_denied` (a read-only token, or the role does not
 * suffice), `not_found` (also for what belongs to another organization), `invalid_argument` (see `violations`),
 * `already_exists`, `failed_precondition`, `resource_exhausted` (too large, or too often: see `retryAfterMs`),
 * `unavailable` (the server or its store cannot be reached), `aborted` (the connection broke: whether the call took
 * effect is not known), `deadline_exceeded`, `canceled` (through the caller's own `AbortSignal`), `unimplemented` and
 * `internal`.
 */
export type ClaimgateErrorCode = (typeof CODES)[Code];

/** What a `ClaimgateError` knows besides its code and message. */
export interface ClaimgateErrorOptions {
  readonly reason?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/**
 * What every call of the client throws.
 *
 * ```ts
 * try {
 *   await client.organizations.getSSOConfiguration({ ssoConfigurationId });
 * } catch (error) {
 *   if (error instanceof ClaimgateError && error.code === 'not_found') return undefined;
 *   throw error;
 * }
 * ```
 */
export class ClaimgateError extends Error {
  override readonly name = 'ClaimgateError';
  /** Why the call failed. */
  readonly code: ClaimgateErrorCode;
  /**
   * Why in more detail, such as `LAST_ADMIN` or `READ_ONLY_TOKEN`: docs/api.md has the list. Where there is nothing more to
   * tell it is the code in capitals, and `undefined` where no answer of the server arrived.
   */
  readonly reason: string | undefined;
  /** What belongs to the reason, such as the name of the DNS record that `DOMAIN_RECORD_MISSING` is about. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields of the request that break a rule. Empty unless `code` is `invalid_argument`, and at times then. */
  readonly violations: readonly FieldViolation[];
  /** How long the server asks to wait before the next try, in milliseconds; `undefined` where it asks nothing. */
  readonly retryAfterMs: number | undefined;
  /** What the server's log calls this request; `undefined` where no answer of the server arrived. */
  readonly requestId: string | undefined;

  constructor(code: ClaimgateErrorCode, message: string, options: ClaimgateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
  }
}

/** Makes of whatever a transport throws the client's error. The original stays as its `cause`. */
export function toClaimgateError(reason: unknown): ClaimgateError {
  if (reason instanceof ClaimgateError) return reason;
  const error = ConnectError.from(reason);
  // Interceptors wrap what they throw, such as the error of a token that cannot be sent.
  if (error.cause instanceof ClaimgateError) return error.cause;
  return new ClaimgateError(CODES[error.code], error.rawMessage, {
    ...readReason(error),
    violations: readViolations(error),
    retryAfterMs: readRetryAfterMs(error),
    requestId: error.metadata.get('x-request-id') ?? undefined,
    cause: reason,
  });
}
