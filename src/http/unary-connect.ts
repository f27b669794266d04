/**
 * Owns unary calls of the Connect protocol, by POST and by GET: https://connectrpc.com/docs/protocol#unary-request.
 * Streams are not its business.
 */
import { base64Decode } from '@bufbuild/protobuf/wire';
import { Code, ConnectError } from '@connectrpc/connect';
import { mergeNonProtocolHeaders } from '@connectrpc/connect/protocol';
import {
  codeToHttpStatus,
  errorToJsonBytes,
  parseTimeout,
  protocolVersion,
} from '@connectrpc/connect/protocol-connect';
import { whenReady } from '../domain/awaitable.ts';
import type { Awaitable } from '../domain/awaitable.ts';
import { compress, sendAnswer } from './answer.ts';
import type { HeaderFields } from './answer.ts';
import { decompress, readBody } from './unary-body.ts';
import type { UnaryCall, UnaryProtocol } from './unary-call.ts';
import { assertReadable } from './unary-codec.ts';

export const connectProtocol: UnaryProtocol = {
  name: 'connect',
  timeoutHeader: 'connect-timeout-ms',
  parseTimeout,
  encodingHeader: 'content-encoding',
  acceptEncodingHeader: 'accept-encoding',
  announcesEncoding: false,
  contentType: { json: 'application/json', binary: 'application/proto' },
  initialTrailer: {},

  check(call) {
    if (call.route.options.requireConnectProtocolHeader) requireVersion(call);
  },

  readInput(call) {
    const { codec } = call;
    const { readMaxBytes } = call.route.options;
    const packed = call.query === undefined ? readPost(call) : readQuery(call.query);
    const { request: compression } = call.compression;
    return whenReady(packed, (bytes) =>
      compression === null
        ? codec.parse(bytes)
        : decompress(bytes, compression, readMaxBytes).then(codec.parse),
    );
  },

  answer: (call, output) => send(call, 200, output),

  answerError(call, error) {
    const { context, route } = call;
    context.responseHeader.set('content-type', 'application/json');
    // What came from another server is told, what came with it is not.
    if (!error.isWireError) mergeNonProtocolHeaders(context.responseHeader, error.metadata);
    return send(
      call,
      codeToHttpStatus(error.code),
      errorToJsonBytes(error, route.options.jsonOptions),
    );
  },
};

function send(call: UnaryCall, status: number, output: Uint8Array): Awaitable<void> {
  const { context, compression, route } = call;
  const header = context.sentHeader();
  // Trailers travel as headers.
  for (const [name, value] of Object.entries(context.sentTrailer())) {
    header[`trailer-${name}`] = value;
  }
  const packed = compress(output, compression.response, route.options.compressMinBytes);
  if (packed === undefined || compression.response === null) {
    return sendBody(call, status, header, output);
  }
  header['content-encoding'] = compression.response.name;
  return packed.then((body) => sendBody(call, status, header, body));
}

function sendBody(
  { response }: UnaryCall,
  status: number,
  header: HeaderFields,
  body: Uint8Array,
): void {
  header['content-length'] = String(body.byteLength);
  sendAnswer(response, { status, header, body });
}

function readPost({ request, route }: UnaryCall): Promise<Uint8Array> {
  const { readMaxBytes } = route.options;
  // Announced sizes are kept: Node and nghttp2 cut off whoever sends more, or less.
  assertReadable(Number(request.headers['content-length'] ?? 0), readMaxBytes);
  return readBody(request, (_chunks, size) => assertReadable(size, readMaxBytes, false));
}

function readQuery(query: URLSearchParams): Uint8Array {
  const message = query.get('message') ?? '';
  if (query.get('base64') !== '1') return Buffer.from(message);
  try {
    return base64Decode(message);
  } catch (reason) {
    throw ConnectError.from(reason, Code.InvalidArgument);
  }
}

function requireVersion({ query, request }: UnaryCall): void {
  const header = request.headers['connect-protocol-version'];
  const [given, wanted] =
    query === undefined
      ? [header?.toString(), protocolVersion]
      : [query.get('connect') ?? undefined, `v${protocolVersion}`];
  if (given === wanted) return;
  const name =
    query === undefined ? 'header: set Connect-Protocol-Version' : 'parameter: set connect';
  throw new ConnectError(`missing required ${name} to "${wanted}"`, Code.InvalidArgument);
}
