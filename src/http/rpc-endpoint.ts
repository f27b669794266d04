/** Owns the joining of the RPC spoke to HTTP: what a call knows of its connection, and what no route answers. */
import { Code, createContextValues } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';

import type { StartServedSpan } from '../domain/tracing.ts';
import { addressKey, requestIdKey, searchKey, traceIdKey } from '../rpc/caller.ts';
import type { RpcOptions } from '../rpc/routes.ts';
import { answerJson } from './answer.ts';
import { readClientAddress } from './client-address.ts';
import type { AddressBlock } from './client-address.ts';
import { liftDeadline } from './exchange.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { readRequestId } from './request-id.ts';
import { notesOf } from './request-notes.ts';
import { readSearch } from './request-path.ts';
import { findSpan, readTraceId, startSpan } from './trace-context.ts';
import { createUnaryAdapter } from './unary-adapter.ts';
import type { HandleHttp } from './unary-adapter.ts';
import type { AnsweredCall } from './unary-call.ts';
import { answerUnimplemented } from './unary-unimplemented.ts';

/** Below the listener's own deadline, so that a caller gets an answer and not a broken stream; in milliseconds. */
const DEFAULT_TIMEOUT_MS = 25_000;

/** What a trace is marked as failed for: not what callers are refused for. */
const OUR_CODES: ReadonlySet<Code> = new Set([
  Code.Internal,
  Code.Unknown,
  Code.DataLoss,
  Code.Unavailable,
  Code.DeadlineExceeded,
]);

export function createRpcEndpoint(
  options: RpcOptions,
  trustedProxies: readonly AddressBlock[],
  startServedSpan?: StartServedSpan,
): HandleHttp {
  const { endlessPaths, observeAnswer, observeUnserved, ...adapterOptions } = options;
  const serve = createUnaryAdapter({
    ...adapterOptions,
    defaultTimeoutMs: DEFAULT_TIMEOUT_MS,
    contextValues: (request) => {
      const readAddress = () =>
        readClientAddress(
          request.socket.remoteAddress,
          request.headers['x-forwarded-for'],
          trustedProxies,
        );
      return createContextValues()
        .set(requestIdKey, readRequestId(request))
        .set(addressKey, readAddress)
        .set(searchKey, () => readSearch(request))
        .set(traceIdKey, () => readTraceId(request));
    },
    observeAnswer:
      startServedSpan === undefined
        ? observeAnswer
        : (call) => {
            observeAnswer?.(call);
            endSpan(call);
          },
    trace:
      startServedSpan &&
      ((request, { method, protocol }) =>
        startSpan(startServedSpan, request, {
          kind: 'call',
          method: `${method.parent.typeName}/${method.name}`,
          protocol,
        })),
    fallback: (request, response) => {
      const protocol = answerUnimplemented(request, response, options.completeError);
      if (protocol === undefined) return answerOther(request, response);
      const requestId = readRequestId(request);
      observeUnserved?.({ requestId, traceId: readTraceId(request), protocol });
    },
  });
  return (request, response) => {
    // What is answered depends on who asks, which caches need not know.
    if (request.method === 'GET') notesOf(request).header['cache-control'] = 'no-store';
    if (endlessPaths.some((path) => request.url?.endsWith(path) === true)) liftDeadline(response);
    serve(request, response);
  };
}

function endSpan({ request, error }: AnsweredCall): void {
  const code = error === undefined ? 'ok' : codeToString(error.code);
  findSpan(request)?.end(code, error !== undefined && OUR_CODES.has(error.code));
}

function answerOther(request: HttpRequest, response: HttpResponse): void {
  const refusal = { code: 'not_found', message: 'Nothing is served here.' };
  answerJson({ request, response }, 404, refusal, { 'x-should-retry': 'false' });
  request.resume();
}
