/**
 * Owns the one error that leaves the domain. Its code is a literal that callers can switch on; how a code looks on
 * a wire is the business of `rpc` and `login`.
 */
import type { AuditActor } from './audit.ts';

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

/**
 * Why, for programs, where the code has several meanings: each reason with the one code that it refines. They go into
 * `google.rpc.ErrorInfo`, and docs/api.md lists them; clients switch on them, so none is ever renamed.
 */
export const ERROR_REASONS = {
  PAGE_TOKEN_OF_OTHER_LIST: 'invalid_argument',
  READ_ONLY_TOKEN: 'permission_denied',
  ADMIN_REQUIRED: 'permission_denied',
  OPERATOR_REQUIRED: 'permission_denied',
  TARGET_IS_OPERATOR: 'permission_denied',
  OPERATOR_TOKEN_REQUIRED: 'permission_denied',
  ORGANIZATION_NOT_FOUND: 'not_found',
  MEMBER_NOT_FOUND: 'not_found',
  USER_NOT_FOUND: 'not_found',
  SSO_CONFIGURATION_NOT_FOUND: 'not_found',
  DOMAIN_VERIFICATION_NOT_FOUND: 'not_found',
  PERSONAL_ACCESS_TOKEN_NOT_FOUND: 'not_found',
  TEST_LOGIN_NOT_FOUND: 'not_found',
  LOGIN_ATTEMPT_NOT_FOUND: 'not_found',
  SSO_LOGIN_NOT_FOUND: 'not_found',
  MEMBER_EXISTS: 'already_exists',
  SSO_CONFIGURATION_EXISTS: 'already_exists',
  DOMAIN_VERIFICATION_EXISTS: 'already_exists',
  LAST_ADMIN: 'failed_precondition',
  LAST_OPERATOR: 'failed_precondition',
  DOMAIN_RECORD_MISSING: 'failed_precondition',
  WOULD_SHUT_OUT: 'failed_precondition',
  SECRET_UNREADABLE: 'failed_precondition',
  RATE_LIMITED: 'resource_exhausted',
  STORAGE_FULL: 'resource_exhausted',
  CHANGED_MEANWHILE: 'aborted',
  PARENT_DELETED: 'aborted',
  DATABASE_BUSY: 'unavailable',
  DATABASE_UNREACHABLE: 'unavailable',
  OUTCOME_UNKNOWN: 'unavailable',
  DNS_UNREACHABLE: 'unavailable',
  SERVER_ENDING: 'unavailable',
} as const satisfies Readonly<Record<string, DomainErrorCode>>;

export type ErrorReason = keyof typeof ERROR_REASONS;

/** One field of the request that breaks a rule. */
export interface FieldViolation {
  /** The field as the contract spells it, such as `email_domains[1]`. */
  readonly field: string;
  /** The rule's name, such as `domain.format`. */
  readonly rule: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** Credentials that we know and do not take. */
export interface Refused {
  readonly actor: AuditActor;
  readonly organizationId: string;
  readonly reason: 'TOKEN_EXPIRED' | 'SESSION_EXPIRED' | 'USER_SUSPENDED' | 'USER_LEFT';
}

export interface DomainErrorOptions {
  /** Where it is absent, the code says all. */
  readonly reason?: ErrorReason;
  /** Of the reason, for programs: names are lowerCamelCase, values hold no secret and nothing of other organizations. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  /** How long the caller does well to wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** For the audit log only: whose credentials were refused, where they are known to us. */
  readonly refused?: Refused;
  /** For the log only: given exactly when what went wrong is for the operator to look at. It never reaches a caller. */
  readonly cause?: unknown;
}

/** A refusal whose message is meant for the caller: it says what to do and holds no secret. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: DomainErrorCode;
  readonly reason: ErrorReason | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  readonly refused: Refused | undefined;

  constructor(code: DomainErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.metadata = options.metadata ?? {};
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.refused = options.refused;
  }
}

/**
 * Whether the refusal is a failing of ours, which belongs in the log: what we depend on is away, full, or does not
 * decrypt. All other refusals are the caller's affair.
 */
export function isOurFailing(error: DomainError): boolean {
  return error.code === 'unavailable' || error.cause !== undefined;
}

/**
 * An answer names so many violations at most: they are to be read, and in gRPC they travel in a trailer, of which many
 * clients take 8 KiB, and each is in it three times, in the words of different clients.
 */
export const MAX_VIOLATIONS = 10;

/** `invalid_argument` for fields that the schema's own rules cannot judge. The first violations are told. */
export function createViolationError(all: readonly FieldViolation[]): DomainError {
  const violations = all.slice(0, MAX_VIOLATIONS);
  const message = violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new DomainError('invalid_argument', message, { violations });
}
