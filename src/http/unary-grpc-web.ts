/**
 * Owns unary calls of gRPC-Web: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md. The status travels at the
 * end of the body, in an envelope of its own. Its base64 form (`-text`) is not served, by connect-es neither.
 */
import { parseTimeout } from '@connectrpc/connect/protocol-grpc';
import { sendAnswer } from './answer.ts';
import type { HeaderFields } from './answer.ts';
import { setGrpcStatus } from './grpc-status.ts';
import type { UnaryCall, UnaryProtocol } from './unary-call.ts';
import { packEnvelope, readEnvelopedInput } from './unary-envelope.ts';

const TRAILER_FLAG = 0x80;

export const grpcWebProtocol: UnaryProtocol = {
  name: 'grpc-web',
  timeoutHeader: 'grpc-timeout',
  parseTimeout,
  encodingHeader: 'grpc-encoding',
  acceptEncodingHeader: 'grpc-accept-encoding',
  announcesEncoding: true,
  contentType: { json: 'application/grpc-web+json', binary: 'application/grpc-web+proto' },
  initialTrailer: { 'grpc-status': '0' },

  readInput: (call) => readEnvelopedInput(call, TRAILER_FLAG),

  async answer(call, output) {
    const message = await packEnvelope(call, 0, output);
    await send(call, message);
  },

  async answerError(call, error) {
    setGrpcStatus(call.context.responseTrailer, error);
    await send(call, undefined);
  },
};

async function send(call: UnaryCall, message: Buffer | undefined): Promise<void> {
  const { context, response } = call;
  const trailer = await packEnvelope(call, TRAILER_FLAG, serializeTrailer(context.sentTrailer()));
  const body = message === undefined ? trailer : Buffer.concat([message, trailer]);
  const header: HeaderFields = {
    ...context.sentHeader(),
    // connect-es sends chunks; the size is known, so two frames and some time can be saved.
    'content-length': String(body.length),
  };
  sendAnswer(response, { status: 200, header, body });
}

export function serializeTrailer(fields: HeaderFields): Buffer {
  let block = '';
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) block += `${name}: ${item}\r\n`;
  }
  return Buffer.from(block);
}
