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
import type { Awaitable } from '../domain/awaitable.ts';
import type { ServedSpan } from '../domain/tracing.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import type { SharedDeadlines } from './shared-deadlines.ts';
import { notesOf } from './request-notes.ts';
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
  readonly readInput: (call: UnaryCall) => Awaitable<Message>;
  readonly answer: (call: UnaryCall, output: Uint8Array) => Awaitable<void>;
  readonly answerError: (call: UnaryCall, error: ConnectError) => Awaitable<void>;
}

interface ParsedTimeout {
  readonly timeoutMs?: number;
  readonly error?: ConnectError | undefined;
}

/** What the client chose for a call, by verb and content type (`unary-negotiation.ts`). */
export interface Negotiated {
  readonly protocol: UnaryProtocol;
  readonly format: 'json' | 'binary';
  /** Of a Connect GET. */
  readonly query: URLSearchParams | undefined;
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
  /** By `performance.now()`. */
  readonly deadline: number | undefined;
  /** Takes its deadline back. */
  readonly clearDeadline: (() => void) | undefined;
  readonly settings: UnaryCallSettings;
  /** `performance.now()` when its head had come. */
  readonly startedAt: number;
  answered: boolean;
}

export interface UnaryCallSettings {
  readonly defaultTimeoutMs: number | undefined;
  /** Of the calls whose client names none. */
  readonly defaultDeadlines: SharedDeadlines | undefined;
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

export function serveUnaryCall(
  { route, settings }: Pick<UnaryCall, 'route' | 'settings'>,
  chosen: Negotiated,
  request: HttpRequest,
  response: HttpResponse,
): void {
  const call = openCall(route, settings, chosen, request, response);
  const { method } = route;
  const span = settings.trace?.(request, { method, protocol: chosen.protocol.name });
  if (span === undefined) void runCall(call);
  else void span.run(() => runCall(call));
}

/** Node fires at once for longer delays. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function openCall(
  route: UnaryRoute,
  settings: UnaryCallSettings,
  { protocol, format, query }: Negotiated,
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
  // Sent with what every answer carries: one object from the beginning.
  const initialHeader = notesOf(request).header;
  initialHeader['content-type'] = protocol.contentType[format];
  if (protocol.announcesEncoding && compression.response !== null) {
    initialHeader[protocol.encodingHeader] = compression.response.name;
  }
  const startedAt = performance.now();
  const deadline = timeoutMs === undefined ? undefined : startedAt + timeoutMs;
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
    clearDeadline: setDeadline(timeout.timeoutMs, settings, () => endInTime(call)),
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
    startedAt,
    answered: false,
  };
  return call;
}

/** @param timeoutMs that the client named */
function setDeadline(
  timeoutMs: number | undefined,
  { defaultDeadlines }: UnaryCallSettings,
  end: () => void,
): (() => void) | undefined {
  if (timeoutMs !== undefined) {
    if (timeoutMs > TIMER_MAX_MS) return undefined;
    const timer = setTimeout(end, timeoutMs);
    return () => clearTimeout(timer);
  }
  if (defaultDeadlines === undefined) return undefined;
  const deadline = defaultDeadlines.set(end);
  return () => defaultDeadlines.clear(deadline);
}

function headerOf(value: string | string[] | undefined): string | null {
  return value === undefined ? null : String(value);
}

function createDeadlineError(): ConnectError {
  return new ConnectError('the operation timed out', Code.DeadlineExceeded);
}

function endInTime(call: UnaryCall): void {
  fail(call, createDeadlineError()).catch(() => call.response.destroy());
}

/** Never rejects. What is there already is not waited for: each wait takes as long as looking up the token. */
async function runCall(call: UnaryCall): Promise<void> {
  const { route, protocol, compression } = call;
  try {
    let output: Uint8Array;
    try {
      // Before the body is asked for: who may not call shall cost nothing more.
      const admission = route.options.requestGate?.(call.context);
      if (admission instanceof Promise) await admission;
      protocol.check?.(call);
      if (compression.error !== undefined) throw compression.error;
      if (call.timeoutError !== undefined) throw call.timeoutError;
      if (call.answered) return;
      const reading = protocol.readInput(call);
      const input = reading instanceof Promise ? await reading : reading;
      // Timers are late under load; nothing starts after the deadline.
      if (call.deadline !== undefined && performance.now() >= call.deadline) {
        throw createDeadlineError();
      }
      if (call.answered) return;
      output = call.codec.serialize(await invoke(call, input));
    } catch (reason) {
      await fail(call, reason);
      return;
    }
    if (!close(call, completed)) return;
    const answering = protocol.answer(call, output);
    if (answering instanceof Promise) await answering;
    observe(call, undefined);
  } catch {
    // A failure was answered before; what is left is an answer that cannot be sent, and that ends its connection.
    call.response.destroy();
  }
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
  call.clearDeadline?.();
  call.context.end(reason);
  // Before the answer: after it, Node throws away what comes on HTTP/1.1 without counting it.
  if (call.request.method === 'POST') drainBody(call.request);
  return true;
}
