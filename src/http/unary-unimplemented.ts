/**
 * Owns the answer to calls of methods that are not served: `unimplemented`, in the caller's protocol, since a bare 404
 * means different things to different clients. In Connect it has the status 404 all the same, which is what its
 * conformance suite wants of a path that is not known. It refuses every other path.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { sendAnswer } from './answer.ts';
import { setGrpcStatus } from './grpc-status.ts';
import { readPath } from './request-path.ts';
import { drainBody } from './unary-body.ts';
import { toNodeHeaders } from './unary-context.ts';
import { encodeEnvelope } from './unary-envelope.ts';
import { serializeTrailer } from './unary-grpc-web.ts';
import { parseContentType } from './unary-negotiation.ts';
import type { ProtocolName } from './unary-routes.ts';

/** `/package.Service/Method`, at the root or under `/api`. */
const METHOD_PATH = /^(?:\/api)?\/(?:[a-z_]\w*\.)+[a-z_]\w*\/[a-z_]\w*$/i;

/**
 * Answers a POST to the path of a method, in a protocol that we speak; returns in which one it did.
 *
 * @param completeError adds details and headers to the error
 */
export function answerUnimplemented(
  request: HttpRequest,
  response: HttpResponse,
  completeError?: (error: ConnectError) => void,
): ProtocolName | undefined {
  const path = readPath(request);
  if (request.method !== 'POST' || !METHOD_PATH.test(path)) return undefined;
  const type = parseContentType(request.headers['content-type']);
  if (type === undefined) return undefined;
  drainBody(request);
  const error = new ConnectError('this method is not served', Code.Unimplemented);
  completeError?.(error);

  if (type.protocol.name === 'connect') {
    const body = errorToJsonBytes(error, undefined);
    sendAnswer(response, {
      status: 404,
      header: {
        'content-type': 'application/json',
        'content-length': String(body.byteLength),
        ...Object.fromEntries(error.metadata),
      },
      body,
    });
  } else {
    const trailer = toNodeHeaders(setGrpcStatus(new Headers(), error), {});
    const header = { 'content-type': type.protocol.contentType[type.format] };
    sendAnswer(
      response,
      type.protocol.name === 'grpc'
        ? // Not as Trailers-Only: Node ends the stream in a frame of its own, and clients then miss the status.
          { status: 200, header, body: undefined, trailer }
        : { status: 200, header, body: encodeEnvelope(0x80, serializeTrailer(trailer)) },
    );
  }
  return type.protocol.name;
}
