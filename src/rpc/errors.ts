/**
 * Owns how a refusal looks on the wire. Everything that a call can throw passes through `describeError`, which is the
 * one place where a domain error becomes a status code, and where everything unforeseen becomes `internal` without a
 * word about its cause.
 */
import { create } from '@bufbuild/protobuf';
import {
  FieldPathElementSchema,
  ViolationsSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldPathElement } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';

import { PreviewClaimsExpressionResponseSchema } from '../../gen/claimgate/v1/sso_configuration_pb.ts';
import { ShutOutError } from '../domain/claims-preview.ts';
import { DomainError, isOurFailing } from '../domain/errors.ts';
import type { DomainErrorCode, FieldViolation } from '../domain/errors.ts';
import { writePreview } from './claims-preview.ts';
import {
  createBadRequests,
  createErrorInfo,
  createRetryInfo,
  isComplete,
} from './error-details.ts';

const CODES: Readonly<Record<DomainErrorCode, Code>> = {
  invalid_argument: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  permission_denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  resource_exhausted: Code.ResourceExhausted,
  aborted: Code.Aborted,
  unavailable: Code.Unavailable,
};

/** What a call with the same request may get over by itself. All else is marked `x-should-retry: false`. */
const RETRYABLE: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Unavailable,
  Code.DeadlineExceeded,
]);

/** How long to wait where nobody knows better, in milliseconds. */
const DEFAULT_WAIT_MS: Readonly<Partial<Record<Code, number>>> = {
  [Code.Aborted]: 100,
  [Code.Unavailable]: 1000,
};

/** Says of an error all that a caller may know. `requestId` ties an `internal` one to the log. */
export function describeError(reason: unknown, requestId: string): ConnectError {
  const error = convertError(reason, requestId);
  return reason instanceof DomainError
    ? complete(error, reason.retryAfterMs, reason.reason, reason.metadata)
    : complete(error);
}

/** Adds to an error that never came here, such as one about a body that cannot be parsed, what the others have. */
export function completeError(error: ConnectError): void {
  complete(error);
}

/** Why, in which fields, and whether to try again: the latter in headers too, which is where the published clients look. */
function complete(
  error: ConnectError,
  retryAfterMs?: number,
  reason: string = codeToString(error.code).toUpperCase(),
  metadata: Readonly<Record<string, string>> = {},
): ConnectError {
  if (isComplete(error)) return error;
  const waitMs = retryAfterMs ?? DEFAULT_WAIT_MS[error.code];
  error.details.push(...createBadRequests(error), createErrorInfo(reason, metadata));
  if (waitMs !== undefined) {
    error.details.push(createRetryInfo(waitMs));
    const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)));
    error.metadata.set('retry-after', seconds);
    error.metadata.set('retry-after-ms', String(Math.ceil(waitMs)));
    error.metadata.set('ratelimit-retryafter', seconds);
  } else if (!RETRYABLE.has(error.code)) {
    error.metadata.set('x-should-retry', 'false');
  }
  return error;
}

/** Whether an error is our own failing, foreseen or not, which belongs in the log with its cause. */
export function isUnforeseen(reason: unknown): boolean {
  if (reason instanceof DomainError) return isOurFailing(reason);
  return (
    !(reason instanceof ConnectError) ||
    reason.code === Code.Internal ||
    reason.code === Code.Unknown
  );
}

function convertError(reason: unknown, requestId: string): ConnectError {
  if (reason instanceof DomainError) {
    return new ConnectError(reason.message, CODES[reason.code], undefined, listDetails(reason));
  }
  if (reason instanceof ConnectError && !isUnforeseen(reason)) return reason;
  return new ConnectError(
    `Something went wrong on our side. Should it last, ask the operator, naming request ${requestId}.`,
    Code.Internal,
  );
}

function listDetails(reason: DomainError) {
  if (reason instanceof ShutOutError) {
    return [{ desc: PreviewClaimsExpressionResponseSchema, value: writePreview(reason.preview) }];
  }
  const violations = reason.violations.map(convertViolation);
  return violations.length > 0 ? [{ desc: ViolationsSchema, value: { violations } }] : [];
}

function convertViolation({ field, rule, message }: FieldViolation) {
  return { field: { elements: parseFieldPath(field) }, ruleId: rule, message };
}

/** `email_domains[1]` as a path of protovalidate's. */
function parseFieldPath(path: string): FieldPathElement[] {
  return path.split('.').map((part) => {
    const [, fieldName = part, index] = /^(\w+)\[(\d+)\]$/.exec(part) ?? [];
    if (index === undefined) return create(FieldPathElementSchema, { fieldName });
    return create(FieldPathElementSchema, {
      fieldName,
      subscript: { case: 'index', value: BigInt(index) },
    });
  });
}
