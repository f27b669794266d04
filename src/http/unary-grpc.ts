/**
 * Owns unary calls of gRPC: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. The status travels in HTTP
 * trailers.
 */
import { parseTimeout } from '@connectrpc/connect/protocol-grpc';
import { whenReady } from '../domain/awaitable.ts';
import { sendAnswer } from './answer.ts';
import { setShortGrpcStatus } from './grpc-status.ts';
import type { UnaryProtocol } from './unary-call.ts';
import { packEnvelope, readEnvelopedInput } from './unary-envelope.ts';

export const grpcProtocol: UnaryProtocol = {
  name: 'grpc',
  timeoutHeader: 'grpc-timeout',
  parseTimeout,
  encodingHeader: 'grpc-encoding',
  acceptEncodingHeader: 'grpc-accept-encoding',
  announcesEncoding: true,
  contentType: { json: 'application/grpc+json', binary: 'application/grpc+proto' },
  initialTrailer: { 'grpc-status': '0' },

  readInput: (call) => readEnvelopedInput(call, 0),

  answer: (call, output) =>
    whenReady(packEnvelope(call, 0, output), (body) => {
      const { context, response } = call;
      sendAnswer(response, {
        status: 200,
        header: context.sentHeader(),
        body,
        trailer: context.sentTrailer(),
      });
    }),

  answerError({ context, response }, error) {
    setShortGrpcStatus(context.responseTrailer, error);
    sendAnswer(response, {
      status: 200,
      header: context.sentHeader(),
      body: undefined,
      trailer: context.sentTrailer(),
    });
  },
};
