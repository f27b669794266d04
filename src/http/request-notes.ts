/**
 * Owns what we keep with a request, in the request itself: a WeakMap of all requests costs each of them half a
 * microsecond, and the garbage collector more. It refuses to know what the notes mean.
 */
import type { ServedSpan } from '../domain/tracing.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

interface RequestNotes {
  /** Made when it is asked for (`request-id.ts`). */
  id: string | undefined;
  /** Where traces are recorded (`trace-context.ts`). */
  span: ServedSpan | undefined;
  /** What its answer carries whoever answers, by lower-case names. `sendAnswer` sends it, and adds to it. */
  readonly header: Record<string, string | string[]>;
}

const notesKey = Symbol('notes');

declare module 'node:http' {
  interface IncomingMessage {
    [notesKey]?: RequestNotes;
  }
}
declare module 'node:http2' {
  interface Http2ServerRequest {
    [notesKey]?: RequestNotes;
  }
}

export function notesOf(request: HttpRequest): RequestNotes {
  return (request[notesKey] ??= { id: undefined, span: undefined, header: {} });
}

/** For answers that others write: what every answer carries. */
export function setCommonHeader(response: HttpResponse): void {
  for (const [name, value] of Object.entries(notesOf(response.req).header)) {
    response.setHeader(name, value);
  }
}
