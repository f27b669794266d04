/**
 * Owns the sending of an answer, on HTTP/1.1 and HTTP/2. It refuses to know protocols: they bring headers, body and
 * trailers.
 */
import type { ServerResponse } from 'node:http';
import { sensitiveHeaders } from 'node:http2';
import type { Http2ServerResponse } from 'node:http2';
import type { Compression } from '@connectrpc/connect/protocol';
import { makeOnce } from '../domain/lasting.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { notesOf } from './request-notes.ts';

export type HeaderFields = Record<string, string | string[]>;

export interface Answer {
  readonly status: number;
  readonly header: HeaderFields;
  readonly body: Uint8Array | undefined;
  /** Sent after the body; on HTTP/1.1 that needs a body without a `content-length`. */
  readonly trailer?: Readonly<HeaderFields>;
}

export function sendAnswer(response: HttpResponse, answer: Answer): void {
  // The client has gone, or the listener's own deadline answered.
  if (response.destroyed || response.headersSent) return;
  // All at once: headers that are set before cost Node 1 µs more, since it writes them one by one.
  const header = joinHeaders(notesOf(response.req).header, answer.header);
  if ('stream' in response) sendOnStream(response, answer, header);
  else sendOnHttp1(response, answer, header);
}

/** Adds to what every answer carries; what the answer varies by is added to what all of them vary by. */
function joinHeaders(common: HeaderFields, header: HeaderFields): HeaderFields {
  if (common === header) return header;
  const varying = common['vary'];
  const joined = { ...common, ...header };
  if (varying !== undefined && header['vary'] !== undefined) {
    const fields = [varying, header['vary']].flat().flatMap((list) => list.split(', '));
    joined['vary'] = [...new Set(fields)].join(', ');
  }
  return joined;
}

/** Past Node's compatibility layer, which looks at each header once more and writes a body in two steps: 3 µs. */
function sendOnStream(
  response: Http2ServerResponse,
  { status, body, trailer }: Answer,
  header: HeaderFields,
): void {
  const { stream } = response;
  if (stream.destroyed || stream.closed) return;
  // HTTP/1.1 alone has it, and Node refuses to send it (RFC 9113 §8.2.2).
  delete header['connection'];
  // For those who ask the response what it answered.
  response.statusCode = status;
  const before = response.getHeaderNames().length === 0 ? {} : response.getHeaders();
  const hasTrailer = trailer !== undefined;
  if (hasTrailer) response.addTrailers(trailer);
  stream.respond(
    { ...before, ...header, ':status': status, [sensitiveHeaders]: NEVER_INDEXED },
    { waitForTrailers: hasTrailer, endStream: body === undefined && !hasTrailer },
  );
  if (body !== undefined || hasTrailer) stream.end(body);
}

/** Another one each time, so that it would drive out of the compression's table what comes again (RFC 7541 §6.2.3). */
const NEVER_INDEXED = ['x-request-id'];

function sendOnHttp1(
  response: ServerResponse,
  { status, body, trailer }: Answer,
  header: HeaderFields,
): void {
  response.writeHead(status, header);
  if (trailer !== undefined) response.addTrailers(trailer);
  if (body === undefined) response.end();
  else if (body.byteLength > JOINED_BYTES) response.end(body);
  else response.end(asLatin1(body).text, 'latin1');
}

/**
 * On HTTP/1.1, Node writes a body that is a string together with the headers, and one that is bytes beside them, which
 * takes 5 µs longer. Copying it costs more than that from some size on.
 */
const JOINED_BYTES = 16 * 1024;

/** A character for each byte. */
const asLatin1 = makeOnce((bytes: Uint8Array) => ({
  text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
}));

/** A JSON document. `HEAD` gets its headers alone. */
export function answerJson(
  { request, response }: { readonly request: HttpRequest; readonly response: HttpResponse },
  status: number,
  document: object,
  header: HeaderFields = { 'cache-control': 'no-store' },
): void {
  const body = Buffer.from(JSON.stringify(document));
  sendAnswer(response, {
    status,
    header: {
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
      ...header,
    },
    body: request.method === 'HEAD' ? undefined : body,
  });
}

/** Packs what is worth packing; undefined for what is not. */
export function compress(
  bytes: Uint8Array,
  compression: Compression | null,
  compressMinBytes: number,
): Promise<Uint8Array> | undefined {
  if (compression === null || bytes.byteLength < compressMinBytes) return undefined;
  return compression.compress(bytes);
}
