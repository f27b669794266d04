// Owns what a test asks of a refused call: its code, its words, and the fields that its violations name.
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldPath } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';

export interface Refusal {
  /** Such as `not_found`, or `ok` when the call was not refused. */
  readonly code: string;
  readonly message: string;
  /** Such as `email_domains[1]`, of the violations among the details. */
  readonly fields: readonly string[];
  readonly rules: readonly string[];
  readonly headers: Headers;
}

export async function readRefusal(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (reason) {
    const error = ConnectError.from(reason);
    const violations = error
      .findDetails(ViolationsSchema)
      .flatMap(({ violations }) => [...violations]);
    return {
      code: codeToString(error.code),
      message: error.rawMessage,
      fields: violations.map(({ field }) => describePath(field)),
      rules: violations.map(({ ruleId }) => ruleId),
      headers: error.metadata,
    };
  }
  return { code: 'ok', message: '', fields: [], rules: [], headers: new Headers() };
}

/** Of calls that go on at once: the refusal of one that nobody has asked about yet would end the run of the tests. */
export async function readRefusals(
  calls: readonly Promise<unknown>[],
): Promise<readonly Refusal[]> {
  return Promise.all(calls.map(readRefusal));
}

export function describePath(path: FieldPath | undefined): string {
  return (path?.elements ?? [])
    .map(({ fieldName, subscript }) =>
      subscript.case === undefined ? fieldName : `${fieldName}[${subscript.value}]`,
    )
    .join('.');
}
