/**
 * Owns the way of one unary call, the same in every protocol: gate, body, message, interceptors, implementation, answer,
 * and the deadline over all of it. What a protocol does in its own way is a `UnaryProtocol`, one file each.
 *
 *   gate ─▶ checks ─▶ read, parse ─▶ interceptors, implementation ─▶ serialize ─▶ answer
 *     └────────┴───────────┴────────────────────┴──────────────────────┴─▶ error answer ◀─ deadline
 *
 * Exactly one answer is sent, by whoever sets `answered` first.
 */
import type { DescMethodUnary, Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ContextValues } from '@connectrpc/connect';
import { compressionNegotiate } from '@connectrpc/connect/protocol';
import type { Compression } from '@connectrpc/connect/protocol';
import type { ServedSpan } from '../domain/tracing.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { drainBody } from './unary-body.ts';
import type { MessageCodec } from './unary-codec.ts';
import { UnaryContext } from './unary-context.ts';
import { invoke } from './unary-invoke.ts';
import type { ProtocolName, UnaryRoute } from './unary-routes.ts';

export interface UnaryProtocol {
  readonly name: ProtocolName;
  readonly timeoutHeader: string;
  readonly parseTimeout: (value: string | null, maxTimeoutMs: number) => ParsedTimeout;
  readonly encodingHeader: string;
  readonly acceptEncodingHeader: string;
  readonly contentType: { readonly json: string; readonly binary: string };
  /** Whether the negotiated encoding is announced in every answer, not only in those that use it. */
  readonly announcesEncoding: boolean;
  readonly initialTrailer: Readonly<Record<string, string>>;
  /** What is wrong with the request's head, thrown. */
  readonly check?: (call: UnaryCall) => void;
  readonly readInput: (call: UnaryCall) => Promise<Message>;
  readonly answer: (call: UnaryCall, output: Uint8Array) => void | Promise<void>;
  readonly answerError: (call: UnaryCall, error: ConnectError) => void | Promise<void>;
}

interface ParsedTimeout {
  readonly timeoutMs?: number;
  readonly error?: ConnectError | undefined;
}

export interface UnaryCall {
  readonly route: UnaryRoute;
  readonly protocol: UnaryProtocol;
  readonly codec: MessageCodec;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly context: UnaryContext;
  /** Of a Connect GET. */
  readonly query: URLSearchParams | undefined;
  readonly compression: {
    readonly request: Compression | null;
    readonly response: Compression | null;
    readonly error?: ConnectError;
  };
  readonly timeoutError: ConnectError | undefined;
  readonly deadline: number | undefined;
  readonly timer: NodeJS.Timeout | undefined;
  readonly settings: UnaryCallSettings;
  /** `performance.now()` when its head had come. */
  readonly startedAt: number;
  answered: boolean;
}

export interface UnaryCallSettings {
  readonly defaultTimeoutMs: number | undefined;
  readonly contextValues: ((request: HttpRequest) => ContextValues) | undefined;
  readonly completeError: ((error: ConnectError) => void) | undefined;
  readonly observeAnswer: ((call: AnsweredCall) => void) | undefined;
  readonly trace: TraceCall | undefined;
}

/** Begins the part of a trace that a call is. */
export type TraceCall = (
  request: HttpRequest,
  call: { readonly method: DescMethodUnary; readonly protocol: ProtocolName },
) => Pick<ServedSpan, 'run'> | undefined;

/** A call at the moment of its answer. */
export interface AnsweredCall {
  readonly request: HttpRequest;
  readonly method: DescMethodUnary;
  readonly protocol: ProtocolName;
  readonly values: ContextValues;
  /** `performance.now()` at its start. */
  readonly startedAt: number;
  /** Absent when it went well. */
  readonly error: ConnectError | undefined;
}

export interface UnaryExchange {
  readonly route: UnaryRoute;
  readonly protocol: UnaryProtocol;
  readonly format: 'json' | 'binary';
  readonly query: URLSearchParams | undefined;
  readonly settings: UnaryCallSettings;
}

export function serveUnaryCall(
  exchange: UnaryExchange,
  request: HttpRequest,
  response: HttpResponse,
): void {
  const call = openCall(exchange, request, response);
  const { route, protocol, settings } = exchange;
  const span = settings.trace?.(request, { method: route.method, protocol: protocol.name });
  settle(call, span === undefined ? runCall(call) : span.run(() => runCall(call)));
}

/** A failure was answered before; what is left is an answer that cannot be sent, and that ends its connection. */
function settle(call: UnaryCall, answering: Promise<void>): void {
  answering.catch(() => call.response.destroy());
}

/** Node fires at once for longer delays. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function openCall(
  { route, protocol, format, query, settings }: UnaryExchange,
  request: HttpRequest,
  response: HttpResponse,
): UnaryCall {
  const { options, method } = route;
  const { headers } = request;
  const timeout = protocol.parseTimeout(
    headerOf(headers[protocol.timeoutHeader]),
    options.maxTimeoutMs,
  );
  const timeoutMs = timeout.timeoutMs ?? settings.defaultTimeoutMs;
  const compression = compressionNegotiate(
    options.acceptCompression,
    query === undefined ? headerOf(headers[protocol.encodingHeader]) : query.get('compression'),
    headerOf(headers[protocol.acceptEncodingHeader]),
    protocol.acceptEncodingHeader,
  );
  const initialHeader: Record<string, string> = { 'content-type': protocol.contentType[format] };
  if (protocol.announcesEncoding && compression.response !== null) {
    initialHeader[protocol.encodingHeader] = compression.response.name;
  }
  const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const call: UnaryCall = {
    route,
    protocol,
    codec: route.codecs[format],
    request,
    response,
    query,
    compression,
    deadline,
    settings,
    timeoutError: timeout.error,
    timer:
      timeoutMs === undefined || timeoutMs > TIMER_MAX_MS
        ? undefined
        : setTimeout(() => settle(call, fail(call, createDeadlineError())), timeoutMs),
    context: new UnaryContext({
      method,
      request,
      response,
      deadline,
      initialHeader,
      protocolName: protocol.name,
      initialTrailer: protocol.initialTrailer,
      contextValues: settings.contextValues,
      shutdownSignal: options.shutdownSignal,
    }),
    startedAt: performance.now(),
    answered: false,
  };
  return call;
}

function headerOf(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value);
}

function createDeadlineError(): ConnectError {
  return new ConnectError('the operation timed out', Code.DeadlineExceeded);
}

async function runCall(call: UnaryCall): Promise<void> {
  const { route, protocol, compression } = call;
  let output: Uint8Array;
  try {
    // Before the body is asked for: who may not call shall cost nothing more.
    if (route.options.requestGate !== undefined) await route.options.requestGate(call.context);
    protocol.check?.(call);
    if (compression.error !== undefined) throw compression.error;
    if (call.timeoutError !== undefined) throw call.timeoutError;
    if (call.answered) return;
    const input = await protocol.readInput(call);
    // Timers are late under load; nothing starts after the deadline.
    if (call.deadline !== undefined && Date.now() >= call.deadline) throw createDeadlineError();
    if (call.answered) return;
    output = call.codec.serialize(await invoke(call, input));
  } catch (reason) {
    await fail(call, reason);
    return;
  }
  if (!close(call, completed)) return;
  await protocol.answer(call, output);
  observe(call, undefined);
}

async function fail(call: UnaryCall, reason: unknown): Promise<void> {
  if (!close(call, reason)) return;
  const error =
    reason instanceof ConnectError
      ? reason
      : new ConnectError('internal error', Code.Internal, undefined, undefined, reason);
  // Messages quote callers. Half a surrogate pair cannot be percent-encoded for gRPC: connect-es never answers then.
  if (!error.rawMessage.isWellFormed()) {
    Object.assign(error, { rawMessage: error.rawMessage.toWellFormed() });
  }
  call.settings.completeError?.(error);
  await call.protocol.answerError(call, error);
  observe(call, error);
}

function observe(call: UnaryCall, error: ConnectError | undefined): void {
  const { settings, route, protocol, context, startedAt } = call;
  if (settings.observeAnswer === undefined) return;
  const { method } = route;
  const { values } = context;
  const { request } = call;
  settings.observeAnswer({ request, method, protocol: protocol.name, values, startedAt, error });
}

/** Why the signal of a call that went well is aborted. One for all: making a DOMException takes 7 µs. */
const completed = new DOMException('This operation was aborted', 'AbortError');

/** Claims the right to answer, once. */
function close(call: UnaryCall, reason: unknown): boolean {
  if (call.answered) return false;
  call.answered = true;
  clearTimeout(call.timer);
  call.context.end(reason);
  // Before the answer: after it, Node throws away what comes on HTTP/1.1 without counting it.
  if (call.request.method === 'POST') drainBody(call.request);
  return true;
}
