// Owns sending requests as they are written, over HTTP/1.1 and HTTP/2, and reading answers into a form that can be
// compared.
import { Agent, request as requestHttp1 } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { HttpVersion } from './unary-service.ts';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In the pieces in which it is written. */
  readonly body: readonly Buffer[];
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | string[]>>;
}

export type Send = (request: WireRequest) => Promise<WireAnswer>;

/** Opens a client that lasts as long as the test. */
export function openClient(version: HttpVersion, port: number): Send {
  if (version === 1) {
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    return (request) => sendHttp1(agent, port, request);
  }
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return (request) => sendHttp2(session, request);
}

function sendHttp1(agent: Agent, port: number, sent: WireRequest): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
  const size = sent.body.reduce((sum, chunk) => sum + chunk.length, 0);
  const headers: OutgoingHttpHeaders = { ...sent.headers };
  // Node would send the body of an OPTIONS without saying so.
  if (sent.body.length > 0) headers['content-length'] ??= size;
  const request = requestHttp1(
    { agent, port, host: '127.0.0.1', method: sent.method, path: sent.path, headers },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: dropUndefined(response.headers),
          body: Buffer.concat(chunks),
          trailers: dropUndefined(response.trailers),
        }),
      );
    },
  );
  request.on('error', reject);
  for (const chunk of sent.body) request.write(chunk);
  request.end();
  return promise;
}

function sendHttp2(session: ClientHttp2Session, sent: WireRequest): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
  const stream = session.request(
    { ':method': sent.method, ':path': sent.path, ...sent.headers },
    { endStream: sent.body.length === 0 },
  );
  let status = 0;
  let headers = {};
  let trailers = {};
  const chunks: Buffer[] = [];
  stream.on('response', (given) => {
    status = Number(given[constants.HTTP2_HEADER_STATUS] ?? 0);
    headers = dropUndefined(given);
  });
  stream.on('trailers', (given) => {
    trailers = dropUndefined(given);
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', reject);
  stream.on('close', () => resolve({ status, headers, body: Buffer.concat(chunks), trailers }));
  for (const chunk of sent.body) stream.write(chunk);
  if (sent.body.length > 0) stream.end();
  return promise;
}

function dropUndefined(
  headers: Readonly<Record<string, string | string[] | number | undefined>>,
): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !name.startsWith(':'))
      .map(([name, value]) => [name, typeof value === 'number' ? `${value}` : (value ?? '')]),
  );
}

export function envelope(flags: number, data: Uint8Array, length = data.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, data]);
}

export interface ReadAnswer {
  /** Of the call: a code's name in Connect, a number in gRPC; undefined when it went well. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** The error in JSON, or the messages of the body, decompressed. */
  readonly content: unknown;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** Reads an answer by its content type. */
export function readAnswer(answer: WireAnswer): ReadAnswer {
  const type = String(answer.headers['content-type'] ?? '');
  if (type.startsWith('application/grpc-web')) {
    const envelopes = readEnvelopes(answer);
    const block = envelopes.find(({ flags }) => (flags & 0x80) !== 0)?.data ?? '';
    const trailers = Object.fromEntries(
      block
        .split('\r\n')
        .filter((line) => line !== '')
        .map((line) => line.split(/: (.*)/s, 2)),
    ) as Record<string, string>;
    return readStatus(
      trailers,
      envelopes.filter(({ flags }) => (flags & 0x80) === 0),
    );
  }
  if (type.startsWith('application/grpc')) {
    return readStatus(
      'grpc-status' in answer.trailers ? answer.trailers : answer.headers,
      readEnvelopes(answer),
    );
  }
  const bytes = unpack(answer.headers['content-encoding'], answer.body);
  if (type !== 'application/json') {
    return { code: undefined, message: undefined, content: bytes.toString('hex'), trailers: {} };
  }
  const content = JSON.parse(bytes.toString()) as unknown;
  const error =
    answer.status === 200 ? {} : (content as { readonly code?: string; readonly message?: string });
  return { code: error.code, message: error.message, content, trailers: {} };
}

function readStatus(
  trailers: Readonly<Record<string, string | string[]>>,
  content: unknown,
): ReadAnswer {
  const code = String(trailers['grpc-status']);
  return {
    code: code === '0' ? undefined : code,
    message: decodeURIComponent(String(trailers['grpc-message'] ?? '')),
    content,
    trailers,
  };
}

function readEnvelopes({ headers, body }: WireAnswer) {
  const envelopes: { flags: number; data: string }[] = [];
  for (let rest = body; rest.length > 0;) {
    const flags = rest.readUInt8(0);
    const end = 5 + rest.readUInt32BE(1);
    const data = rest.subarray(5, end);
    const bytes = (flags & 1) === 0 ? data : unpack(headers['grpc-encoding'], data);
    envelopes.push({ flags, data: bytes.toString('latin1') });
    rest = rest.subarray(end);
  }
  return envelopes;
}

function unpack(encoding: string | string[] | undefined, bytes: Buffer): Buffer {
  if (encoding === 'gzip') return gunzipSync(bytes);
  if (encoding === 'br') return brotliDecompressSync(bytes);
  return bytes;
}
