/** Owns what is told of a finished call to whoever keeps the log. */
import type { DescMethod } from '@bufbuild/protobuf';
import type { ConnectError } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';

import { describeError, isUnforeseen } from './errors.ts';

/** One finished call. It holds nothing of the request's or the response's content. */
export interface CallRecord {
  readonly requestId: string;
  /** Such as `gitpod.v1.OrganizationService/GetSSOConfiguration`. */
  readonly method: string;
  readonly userId: string | undefined;
  /** `ok` or the status code's name. */
  readonly code: string;
  readonly durationMs: number;
  /** Only when the failing is ours. */
  readonly cause?: unknown;
}

export type ObserveCall = (call: CallRecord) => void;

export interface StartedCall {
  readonly requestId: string;
  readonly userId: string | undefined;
  readonly method: DescMethod;
  /** `performance.now()` at its start. */
  readonly startedAt: number;
}

export function recordSuccess(observe: ObserveCall, call: StartedCall): void {
  observe(createRecord(call, 'ok'));
}

/** Records the refusal and says what the caller may know of it. */
export function recordFailure(
  observe: ObserveCall,
  call: StartedCall,
  reason: unknown,
): ConnectError {
  const error = describeError(reason, call.requestId);
  const record = createRecord(call, codeToString(error.code));
  observe(isUnforeseen(reason) ? { ...record, cause: reason } : record);
  return error;
}

function createRecord(
  { requestId, userId, method, startedAt }: StartedCall,
  code: string,
): CallRecord {
  const name = `${method.parent.typeName}/${method.name}`;
  return { requestId, method: name, userId, code, durationMs: performance.now() - startedAt };
}
