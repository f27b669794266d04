/**
 * Owns the one error that leaves the domain. Its code is a literal that callers can switch on; how a code looks on
 * a wire is the business of `rpc` and `login`.
 */

/** Every way in which a use case can refuse. The names are those of the Connect and gRPC status codes. */
export type DomainErrorCode =
  | 'invalid_argument'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'resource_exhausted'
  | 'aborted'
  | 'unavailable';

/** One field of the request that breaks a rule. */
export interface FieldViolation {
  /** The field as the contract spells it, such as `email_domains[1]`. */
  readonly field: string;
  /** The rule's name, such as `domain.format`. */
  readonly rule: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

export interface DomainErrorOptions {
  readonly violations?: readonly FieldViolation[];
  /** How long the caller does well to wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** For the log only: given exactly when what went wrong is for the operator to look at. It never reaches a caller. */
  readonly cause?: unknown;
}

/** A refusal whose message is meant for the caller: it says what to do and holds no secret. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: DomainErrorCode;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: DomainErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Whether the refusal is a failing of ours, which belongs in the log: what we depend on is away, full, or does not
 * decrypt. All other refusals are the caller's affair.
 */
export function isOurFailing(error: DomainError): boolean {
  return error.code === 'unavailable' || error.cause !== undefined;
}

/** An answer names so many violations at most: they are to be read. */
export const MAX_VIOLATIONS = 20;

/** `invalid_argument` for fields that the schema's own rules cannot judge. The first violations are told. */
export function createViolationError(all: readonly FieldViolation[]): DomainError {
  const violations = all.slice(0, MAX_VIOLATIONS);
  const message = violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DomainError('invalid_argument', message, { violations });
}
