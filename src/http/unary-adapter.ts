/**
 * Owns the door through which calls come: a drop-in for connect-es's `connectNodeAdapter` that serves unary methods
 * itself, for speed and for a few answers of our own, and hands streams, and whatever it does not know, to the original.
 * It refuses to know what calls mean.
 *
 * What differs from the original, on purpose. `test/http/unary-differential.test.ts` has an example of each difference
 * that generated requests can meet, and allows nothing else; the others are in `unary-adapter.test.ts`.
 *
 * | request                                        | connect-es        | here, and why                                 |
 * | ---------------------------------------------- | ----------------- | --------------------------------------------- |
 * | malformed binary                               | internal          | invalid_argument: the caller's mistake        |
 * | bytes that do not decompress, cut short        | internal          | invalid_argument: the caller's mistake        |
 * | GET with broken base64                         | internal          | invalid_argument: the caller's mistake        |
 * | enum value that is not defined, name or number | dropped, or taken | invalid_argument naming the field: contract   |
 * | JSON nested deeper than 100 in unknown fields  | taken             | invalid_argument: as deep as in known fields  |
 * | empty body, or GET message, as JSON            | invalid_argument  | the empty message: JSON clients send it       |
 * | deadline passes, whatever the handler does     | waits for it      | deadline_exceeded at once, and it starts      |
 * |                                                |                   | nothing after; a stalled body ends too        |
 * | timeout of more than 24.8 days                 | times out at once | no timer (Node's are 31 bits long)            |
 * | error quoting half a surrogate pair, in gRPC   | never answers     | answers, with U+FFFD in its place             |
 * | error in gRPC and gRPC-Web                     | all but letters   | `grpc-message` encoded as gRPC says, no more, |
 * |                                                | is %-encoded      | which not all clients would decode            |
 * | envelope cut short right after its head        | ignores it        | invalid_argument: incomplete like any other   |
 * | envelopes too many                             | as chunks arrive  | judged when the body is complete              |
 * | `Host` that makes no URL, or none              | throws: ends the  | served; a stream gets 400                     |
 * |                                                | process           |                                               |
 * | answer in gRPC-Web                             | in chunks         | with its content-length                       |
 * | stream answered before its requests have come  | the rest is never | the rest is drained: the client is not stuck  |
 * |                                                | read              | sending, nor the next one on its connection   |
 * | stream whose messages come in very many chunks | counts all that   | the same, in messages that are whole: it is   |
 * |                                                | came with each    | not kept busy for minutes                     |
 */
import type { ConnectError, ContextValues } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import type { ConnectNodeAdapterOptions } from '@connectrpc/connect-node';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { setCommonHeader } from './request-notes.ts';
import { readPath } from './request-path.ts';
import { createSharedDeadlines } from './shared-deadlines.ts';
import { drainAfterAnswer } from './unary-body.ts';
import { serveUnaryCall } from './unary-call.ts';
import type { AnsweredCall, TraceCall } from './unary-call.ts';
import { negotiate } from './unary-negotiation.ts';
import { recordRoutes } from './unary-routes.ts';
import type { UnaryRoute } from './unary-routes.ts';

export type UnaryAdapterOptions = Omit<
  ConnectNodeAdapterOptions,
  'requestPathPrefix' | 'contextValues' | 'fallback'
> & {
  /** Paths under which every method is served. Default: the root, and `/api`, the published clients' default. */
  readonly prefixes?: readonly string[];
  /** Deadline of a call whose client names none, in milliseconds. Default: none. */
  readonly defaultTimeoutMs?: number;
  /** Asked once for a call, and only if something wants the values. */
  readonly contextValues?: (request: HttpRequest) => ContextValues;
  /** Adds details and headers to an error, such as advice on retries, before it is sent. */
  readonly completeError?: (error: ConnectError) => void;
  /** Told of each unary call when it has been answered, whatever way it went. */
  readonly observeAnswer?: ((call: AnsweredCall) => void) | undefined;
  /** Runs each unary call as a part of a trace. */
  readonly trace?: TraceCall | undefined;
  /** Answers every other path. Default: 404. */
  readonly fallback?: HandleHttp;
};

export type HandleHttp = (request: HttpRequest, response: HttpResponse) => void;

type Original = ReturnType<typeof connectNodeAdapter>;

interface Endpoint {
  readonly unary: UnaryRoute | undefined;
  readonly original: Original;
}

export function createUnaryAdapter(options: UnaryAdapterOptions): HandleHttp {
  const { prefixes = ['', '/api'], defaultTimeoutMs, fallback, ...rest } = options;
  const { contextValues, completeError, observeAnswer, trace, routes, ...routerOptions } = rest;
  const common = {
    ...routerOptions,
    acceptCompression: options.acceptCompression ?? [compressionGzip, compressionBrotli],
  };
  const answerOther = fallback ?? answerNotFound;
  // connect-es's default.
  const { readMaxBytes = 0xff_ff_ff_ff } = options;
  const recorded = recordRoutes(routes, common);
  const endpoints = new Map<string, Endpoint>();
  for (const prefix of prefixes) {
    const original = connectNodeAdapter({
      ...common,
      ...(contextValues !== undefined && { contextValues }),
      routes: recorded.replay,
      requestPathPrefix: prefix,
    });
    for (const [path, unary] of recorded.byPath) endpoints.set(prefix + path, { unary, original });
  }
  const defaultDeadlines =
    defaultTimeoutMs === undefined ? undefined : createSharedDeadlines(defaultTimeoutMs);
  const settings = {
    defaultTimeoutMs,
    defaultDeadlines,
    contextValues,
    completeError,
    observeAnswer,
    trace,
  };

  return (request, response) => {
    const endpoint = endpoints.get(readPath(request));
    if (endpoint === undefined) {
      answerOther(request, response);
      return;
    }
    const { unary: route, original } = endpoint;
    const chosen = route && negotiate(route, request);
    if (route === undefined || chosen === undefined) {
      drainAfterAnswer(request, response, readMaxBytes);
      handOver(original, request, response);
      return;
    }
    serveUnaryCall({ route, settings }, chosen, request, response);
  };
}

/** connect-es throws at a `Host` of which no URL can be made; in a request listener that would end the process. */
function handOver(original: Original, request: HttpRequest, response: HttpResponse): void {
  setCommonHeader(response);
  try {
    original(request, response);
  } catch {
    if (!response.headersSent) response.statusCode = 400;
    response.end();
  }
}

function answerNotFound(_request: HttpRequest, response: HttpResponse): void {
  response.statusCode = 404;
  response.end();
}
