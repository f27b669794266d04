/**
 * Owns which trace a request belongs to: the one that its caller names (https://www.w3.org/TR/trace-context/ §3.2), and
 * the span that is recorded of it where traces are.
 */
import type { ServedRequest, ServedSpan, StartServedSpan } from '../domain/tracing.ts';
import type { HttpRequest } from './exchange.ts';
import { notesOf } from './request-notes.ts';

/** Versions to come may add to it, and 255 is none (§3.2.2.1, §4.3). Ids of zeros are invalid. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace id in a `traceparent` header, or `undefined` when there is none that can be read. */
export function parseTraceId(traceparent: string): string | undefined {
  const [, version, traceId, rest] = TRACEPARENT.exec(traceparent) ?? [];
  return version === '00' && rest !== undefined ? undefined : traceId;
}

/** Of the span that is recorded of the request, or else the one that its caller named. */
export function readTraceId(request: HttpRequest): string | undefined {
  const span = findSpan(request);
  if (span !== undefined) return span.traceId;
  const { traceparent } = request.headers;
  return typeof traceparent === 'string' ? parseTraceId(traceparent) : undefined;
}

/** Begins the span of a request, which `findSpan` then finds. */
export function startSpan(
  start: StartServedSpan,
  request: HttpRequest,
  served: ServedRequest,
): ServedSpan {
  const { traceparent, tracestate } = request.headers;
  const span = start(served, {
    traceparent: [traceparent].flat()[0],
    // Several fields are one list (§3.3.1.1).
    tracestate: [tracestate ?? []].flat().join(',') || undefined,
  });
  notesOf(request).span = span;
  return span;
}

export function findSpan(request: HttpRequest): ServedSpan | undefined {
  return notesOf(request).span;
}
