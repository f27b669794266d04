// Owns one request and its response, whatever the protocol: running the handler, its deadline, and the answer
// when the handler fails. Refuses to own connections, and to know what requests are about.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Answers one request. What it throws, or rejects with, becomes a 500 without detail. */
export type HandleRequest = (request: HttpRequest, response: HttpResponse) => void | Promise<void>;

/**
 * Where an error came from: `handle` and `accept` are ours to mend; `client` is a peer that broke the protocol
 * or its connection, of interest when debugging only.
 */
export type ErrorPlace = 'handle' | 'accept' | 'client';

export type ReportError = (error: unknown, place: ErrorPlace) => void;

/** Answers that last as long as their caller listens. */
const endless = new WeakSet<HttpResponse>();

/**
 * Lifts the deadline of an answer such as a watch's; its request must have come by then nevertheless. Its connection and
 * its stream count as any other.
 */
export function liftDeadline(response: HttpResponse): void {
  endless.add(response);
}

/**
 * Runs the handler; never throws. `onDeadline` is called if the response has not ended after `timeoutMs` and may not go
 * on.
 */
export function runExchange(
  exchange: {
    readonly request: HttpRequest;
    readonly response: HttpResponse;
    readonly handle: HandleRequest;
    readonly report: ReportError;
  },
  timeoutMs: number,
  onDeadline: () => void,
): void {
  const { request, response, handle, report } = exchange;
  const deadline = setTimeout(() => {
    if (!endless.has(response) || !request.complete) onDeadline();
  }, timeoutMs);
  // A pipelined response whose connection dies may never say `close`; its timer shall not keep the process.
  deadline.unref();
  response.once('close', () => clearTimeout(deadline));
  // Without a listener, an error event ends the process; a write after the peer has gone makes one.
  request.on('error', (error: unknown) => report(error, 'client'));
  response.on('error', (error: unknown) => report(error, 'client'));

  const fail = (error: unknown) => {
    report(error, 'handle');
    answerInternalError(response);
  };
  try {
    const pending = handle(request, response);
    if (pending instanceof Promise) {
      pending.catch(fail);
    }
  } catch (error) {
    fail(error);
  }
}

/** A failed handler's headers may describe a body that will not come, or promise what did not happen. */
const headersKeptOnFailure = /^(?:access-control-.*|connection|vary|x-request-id)$/u;

function answerInternalError(response: HttpResponse): void {
  if (response.destroyed || response.writableEnded) {
    return;
  }
  if (response.headersSent) {
    // Part of another answer is out; cutting it short, as an error, is the only honest way left.
    if ('stream' in response) {
      response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    } else {
      response.destroy();
    }
    return;
  }
  for (const name of response.getHeaderNames()) {
    if (!headersKeptOnFailure.test(name)) {
      response.removeHeader(name);
    }
  }
  response.statusCode = 500;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end('Internal Server Error\n');
}
