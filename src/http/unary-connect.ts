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
import { compress, sendAnswer } from './answer.ts';
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

  async readInput(call) {
    const packed = call.query === undefined ? await readPost(call) : readQuery(call.query);
    const { request: compression } = call.compression;
    return call.codec.parse(
      compression === null
        ? packed
        : await decompress(packed, compression, call.route.options.readMaxBytes),
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

async function send(call: UnaryCall, status: number, output: Uint8Array): Promise<void> {
  const { context, compression, route, response } = call;
  const header = context.sentHeader();
  // Trailers travel as headers.
  for (const [name, value] of Object.entries(context.sentTrailer())) {
    header[`trailer-${name}`] = value;
  }
  const packed = compress(output, compression.response, route.options.compressMinBytes);
  if (packed !== undefined && compression.response !== null) {
    header['content-encoding'] = compression.response.name;
  }
  const body = packed === undefined ? output : await packed;
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
