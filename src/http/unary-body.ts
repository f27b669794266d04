/**
 * Owns the bytes of a request's body: reading them within a limit, unpacking them, and getting rid of those that nobody
 * wants. It refuses to know what they say.
 */
import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { gatherEnvelopes } from './gather-envelopes.ts';

/** Where the bytes come from; on HTTP/2 past Node's compatibility layer, which would stream them twice. */
export function bodyOf(request: HttpRequest): Readable {
  return 'stream' in request ? request.stream : request;
}

/**
 * Reads the whole body. `check` is called with what has arrived, after each chunk, and throws to read no further.
 * Rejects, too, when the client goes away before its last byte: half a message can be a valid one.
 */
export function readBody(
  request: HttpRequest,
  check: (chunks: readonly Buffer[], size: number) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const source = bodyOf(request);
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    const leave = () => {
      source.off('data', take);
      source.off('end', finish);
      source.off('close', abandon);
      source.off('error', abandon);
    };
    const stop = (reason: unknown) => {
      isOver = true;
      leave();
      reject(reason);
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.byteLength;
      try {
        check(chunks, size);
      } catch (reason) {
        source.pause();
        stop(reason);
      }
    };
    const finish = () => {
      // Node ends an HTTP/2 request that was reset as if all had arrived.
      if (wasCutShort(request)) return abandon();
      isOver = true;
      // Node's HTTP/2 streams live on until a full collection, and with them whatever listens to them.
      if ('stream' in request) leave();
      const [first] = chunks;
      return resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    };
    const abandon = () => {
      if (!isOver) stop(new ConnectError('the client ended the call', Code.Canceled));
    };
    source.on('data', take);
    source.on('end', finish);
    source.on('close', abandon);
    source.on('error', abandon);
  });
}

function wasCutShort(request: HttpRequest): boolean {
  return 'stream' in request
    ? request.stream.aborted || request.stream.rstCode !== constants.NGHTTP2_NO_ERROR
    : !request.complete;
}

/** Unpacks bytes that the client packed; what cannot be unpacked is the client's mistake, however it is broken. */
export async function decompress(
  bytes: Uint8Array,
  compression: Compression,
  readMaxBytes: number,
): Promise<Uint8Array> {
  try {
    return await compression.decompress(bytes, readMaxBytes);
  } catch (reason) {
    const error = ConnectError.from(reason, Code.InvalidArgument);
    if (error.code !== Code.Internal) throw error;
    throw new ConnectError(error.rawMessage, Code.InvalidArgument, undefined, undefined, reason);
  }
}

/** How much of a refused request's body is still read, in bytes, and for how long, in milliseconds. */
const DRAIN_MAX_BYTES = 1024 * 1024;
const DRAIN_MAX_MS = 5_000;

/**
 * For a request that was answered before it had arrived: reads on for a while, since closing with bytes unread makes the
 * kernel drop the answer; then cuts it off.
 *
 * @param source the request itself where it has been read from as such
 */
export function drainBody(request: HttpRequest, source = bodyOf(request)): void {
  if (source.readableEnded || source.destroyed) return;
  let size = 0;
  const cut = () => {
    // RFC 9113 §8.1: NO_ERROR asks the client to stop sending, and keeps the answer.
    if ('stream' in request) request.stream.close(constants.NGHTTP2_NO_ERROR);
    else request.socket.destroy();
  };
  const timer = setTimeout(cut, DRAIN_MAX_MS).unref();
  const done = () => clearTimeout(timer);
  source.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > DRAIN_MAX_BYTES) cut();
  });
  source.once('end', done);
  source.once('close', done);
  source.resume();
}

/** A client that goes away has ended the call, which is no failing of ours. */
async function* readUntilAbandoned(request: HttpRequest): AsyncGenerator<Buffer> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (reason) {
    throw new ConnectError(
      'the client ended the call',
      Code.Canceled,
      undefined,
      undefined,
      reason,
    );
  }
}

/**
 * For a request that connect-es reads: where it stops before the end, it destroys the request and neither the stream of
 * HTTP/2 nor the connection of HTTP/1.1, on which nothing more is read then. This keeps the request alive, to be drained.
 *
 * @param readMaxBytes of one message
 */
export function drainAfterAnswer(
  request: HttpRequest,
  response: HttpResponse,
  readMaxBytes: number,
): void {
  request[Symbol.asyncIterator] = () => gatherEnvelopes(readUntilAbandoned(request), readMaxBytes);
  // The response on HTTP/2 says `finish` once the request has ended, too.
  const sent = 'stream' in response ? response.stream : response;
  sent.once('finish', () => drainBody(request, request));
}
