/**
 * Owns the details of errors that Google's API guidelines name (https://google.aip.dev/193), which clients in all languages
 * have types for: `ErrorInfo`, `BadRequest`, `RetryInfo`. It refuses to decide which error has which (`errors.ts`).
 */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldPath } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { ConnectError } from '@connectrpc/connect';

import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';

/** Whose reasons they are. */
const ERROR_DOMAIN = 'claimgate';

type OutgoingDetail = Extract<ConnectError['details'][number], { readonly desc: unknown }>;

export function createErrorInfo(
  reason: string,
  metadata: Readonly<Record<string, string>>,
): OutgoingDetail {
  return { desc: ErrorInfoSchema, value: { reason, domain: ERROR_DOMAIN, metadata } };
}

export function createRetryInfo(waitMs: number): OutgoingDetail {
  return { desc: RetryInfoSchema, value: { retryDelay: durationFromMs(Math.ceil(waitMs)) } };
}

/** The violations of protovalidate once more, in the words of those who do not have its types. */
export function createBadRequests(error: ConnectError): OutgoingDetail[] {
  return error.findDetails(ViolationsSchema).map(({ violations }) => ({
    desc: BadRequestSchema,
    value: {
      fieldViolations: violations.map(({ field, ruleId, message }) => ({
        field: formatFieldPath(field),
        description: message,
        reason: ruleId.toUpperCase().replaceAll(/\W/g, '_'),
      })),
    },
  }));
}

export function isComplete(error: ConnectError): boolean {
  return error.details.some((detail) => 'desc' in detail && detail.desc === ErrorInfoSchema);
}

/** `pagination.page_size`, `email_domains[1]`, `claims["email"]`. */
function formatFieldPath(path: FieldPath | undefined): string {
  return (path?.elements ?? [])
    .map(({ fieldName, subscript }) => {
      if (subscript.case === undefined) return fieldName;
      const { value } = subscript;
      return `${fieldName}[${typeof value === 'string' ? JSON.stringify(value) : String(value)}]`;
    })
    .join('.');
}
