/** Owns how the details of an error are read: its reason, the fields that break a rule, and the time to wait. */
import { durationMs } from '@bufbuild/protobuf/wkt';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type {
  FieldPath,
  FieldPathElement,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { ConnectError } from '@connectrpc/connect';

import { ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';

/** One field of the request that breaks a rule. */
export interface FieldViolation {
  /** The field as the contract spells it, such as `email_domains[1]`; empty for a rule about the whole message. */
  readonly field: string;
  /** The rule's name, such as `string.uuid`. */
  readonly rule: string;
  /** What is wrong, in words for people. */
  readonly message: string;
}

/** What `google.rpc.ErrorInfo` says, of our own domain alone: a proxy in between may have reasons of its own. */
export function readReason(error: ConnectError): {
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === 'claimgate');
  return { reason: info?.reason, metadata: info?.metadata ?? {} };
}

/** Decodes the `buf.validate.Violations` details of an error. */
export function readViolations(error: ConnectError): readonly FieldViolation[] {
  return error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field, ruleId, message }) => ({
      field: formatFieldPath(field),
      rule: ruleId,
      message,
    }));
}

function formatFieldPath(path: FieldPath | undefined): string {
  const elements = path?.elements ?? [];
  return elements.map((element) => `${element.fieldName}${formatSubscript(element)}`).join('.');
}

function formatSubscript({ subscript }: FieldPathElement): string {
  if (subscript.case === undefined) return '';
  const { value } = subscript;
  return `[${typeof value === 'string' ? JSON.stringify(value) : String(value)}]`;
}

/** In the order of trust: the first that is there and can be read is taken. */
const WAITS: readonly { readonly header: string; readonly unitMs: number }[] = [
  { header: 'retry-after-ms', unitMs: 1 },
  { header: 'retry-after', unitMs: 1000 },
  { header: 'ratelimit-retryafter', unitMs: 1000 },
];

/**
 * How long the server asks to wait, in milliseconds: by its `google.rpc.RetryInfo`, or by a header. The HTTP date that
 * `retry-after` may also hold (RFC 9110 §10.2.3) counts as nothing: it would need a clock that agrees with the server's.
 */
export function readRetryAfterMs(error: ConnectError): number | undefined {
  const [info] = error.findDetails(RetryInfoSchema);
  if (info?.retryDelay !== undefined) return durationMs(info.retryDelay);
  const { metadata } = error;
  for (const { header, unitMs } of WAITS) {
    const value = metadata.get(header);
    if (value !== null && /^\d{1,9}$/.test(value)) return Number(value) * unitMs;
  }
  return undefined;
}
