/** Owns what is told of a call that has been answered to whoever keeps the log and the metrics. */
import type { DescMethod } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import type { ConnectError, ContextValues } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';

import type { Credential } from '../domain/access.ts';
import { causeKey, principalKey, requestIdKey, traceIdKey } from './caller.ts';

/** One answered call. It holds nothing of the request's or the response's content. */
export interface CallRecord {
  readonly requestId: string;
  /** Of the trace that the caller named, or that we record (https://www.w3.org/TR/trace-context/ §3.2.2.3). */
  readonly traceId: string | undefined;
  /** Such as `gitpod.v1.OrganizationService/GetSSOConfiguration`; undefined for a method that is not served. */
  readonly method: string | undefined;
  readonly protocol: RpcProtocol;
  /** Whose credential was taken. */
  readonly userId: string | undefined;
  readonly credential: Credential['kind'] | undefined;
  /** `ok` or the status code's name: as the caller was told. */
  readonly code: string;
  readonly durationMs: number;
  /** Only when the failing is ours. */
  readonly cause?: unknown;
}

export type RpcProtocol = 'connect' | 'grpc' | 'grpc-web';

export type ObserveCall = (call: CallRecord) => void;

export interface AnsweredCall {
  readonly method: DescMethod;
  readonly protocol: RpcProtocol;
  readonly values: ContextValues;
  /** `performance.now()` at its start. */
  readonly startedAt: number;
  /** Absent when it went well. */
  readonly error: ConnectError | undefined;
}

export function describeCall(call: AnsweredCall): CallRecord {
  const { method, protocol, values, startedAt, error } = call;
  const principal = values.get(principalKey);
  const record = {
    requestId: values.get(requestIdKey),
    traceId: values.get(traceIdKey)(),
    method: `${method.parent.typeName}/${method.name}`,
    protocol,
    userId: principal?.userId,
    credential: principal?.credential.kind,
    code: error === undefined ? 'ok' : codeToString(error.code),
    durationMs: performance.now() - startedAt,
  };
  const cause = error === undefined ? undefined : findCause(error, values);
  return cause === undefined ? record : { ...record, cause };
}

/** A call of what we do not serve. Its path is anybody's text, so it is not told. */
export function describeUnserved(call: {
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly protocol: RpcProtocol;
}): CallRecord {
  const unknown = { method: undefined, userId: undefined, credential: undefined };
  return { ...call, ...unknown, code: codeToString(Code.Unimplemented), durationMs: 0 };
}

/** What the caller was not told; or what failed before anything of ours could keep it back. */
function findCause(error: ConnectError, values: ContextValues): unknown {
  const known = values.get(causeKey);
  if (known !== undefined) return known.reason;
  return error.code === Code.Internal || error.code === Code.Unknown
    ? (error.cause ?? error)
    : undefined;
}
