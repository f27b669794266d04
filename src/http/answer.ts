/**
 * Owns the sending of an answer, on HTTP/1.1 and HTTP/2. It refuses to know protocols: they bring headers, body and
 * trailers.
 */
import type { Compression } from '@connectrpc/connect/protocol';
import { makeOnce } from '../domain/lasting.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';

export type HeaderFields = Record<string, string | string[]>;

export interface Answer {
  readonly status: number;
  readonly header: HeaderFields;
  readonly body: Uint8Array | undefined;
  /** Sent after the body; on HTTP/1.1 that needs a body without a `content-length`. */
  readonly trailer?: HeaderFields;
}

export function sendAnswer(
  response: HttpResponse,
  { status, header, body, trailer }: Answer,
): void {
  // The client has gone, or the listener's own deadline answered.
  if (response.destroyed || response.headersSent) return;
  // One call for each class: TypeScript cannot call the union.
  if ('stream' in response) response.writeHead(status, header);
  else response.writeHead(status, header);
  if (trailer !== undefined) response.addTrailers(trailer);
  if (body === undefined) response.end();
  else if ('stream' in response || body.byteLength > JOINED_BYTES) response.end(body);
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
