// Owns one request and its response, whatever the protocol: running the handler, its deadline, and the answer
// when the handler fails. Refuses to own connections, and to know what requests are about.
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { notesOf } from './request-notes.ts';
import { createSharedDeadlines } from './shared-deadlines.ts';

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

/** What says `close` when a response is over: on HTTP/2 not Node's response, which keeps silent after a HEAD. */
export function closingOf(response: HttpResponse): EventEmitter {
  return 'stream' in response ? response.stream : response;
}

export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** Called if the response has not ended in time and may not go on. */
  readonly onDeadline: () => void;
  /** Called when the response is over, one way or the other. */
  readonly onClose?: () => void;
}

export interface ExchangeOptions {
  readonly handle: HandleRequest;
  readonly report: ReportError;
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly timeoutMs: number;
}

/** Returns what runs the handler for an exchange; that never throws. */
export function createExchangeRunner({
  handle,
  report,
  timeoutMs,
}: ExchangeOptions): (exchange: Exchange) => void {
  const deadlines = createSharedDeadlines(timeoutMs);
  const reportClient = (error: unknown): void => report(error, 'client');

  return ({ request, response, onDeadline, onClose }) => {
    const deadline = deadlines.set(() => {
      if (!endless.has(response) || !request.complete) onDeadline();
    });
    closingOf(response).once('close', () => {
      deadlines.clear(deadline);
      onClose?.();
    });
    // Without a listener, an error event ends the process; a write after the peer has gone makes one.
    request.on('error', reportClient);
    response.on('error', reportClient);
    try {
      const pending = handle(request, response);
      if (pending instanceof Promise) pending.catch((error: unknown) => fail(response, error));
    } catch (error) {
      fail(response, error);
    }
  };

  function fail(response: HttpResponse, error: unknown): void {
    report(error, 'handle');
    answerInternalError(response);
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
  for (const [name, value] of Object.entries(notesOf(response.req).header)) {
    if (headersKeptOnFailure.test(name)) {
      response.setHeader(name, value);
    }
  }
  response.statusCode = 500;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end('Internal Server Error\n');
}
