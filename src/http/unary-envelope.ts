/**
 * Owns the envelope that gRPC and gRPC-Web put around a message, one byte of flags and four of length, and the rule that
 * a unary call has one message: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Awaitable } from '../domain/awaitable.ts';
import { compress } from './answer.ts';
import { decompress, readBody } from './unary-body.ts';
import type { UnaryCall } from './unary-call.ts';
import { assertReadable } from './unary-codec.ts';

const HEAD_BYTES = 5;
const COMPRESSED = 0x01;

/** Reads the one message of the body; envelopes with a flag of `skipFlags` are passed over. */
export async function readEnvelopedInput(call: UnaryCall, skipFlags: number): Promise<Message> {
  const { readMaxBytes } = call.route.options;
  let hasHead = false;
  const body = await readBody(call.request, (chunks, size) => {
    if (size < HEAD_BYTES) return;
    // Once: putting together all that has come with each of many small chunks would take minutes.
    if (!hasHead) assertReadable(Buffer.concat(chunks, HEAD_BYTES).readUInt32BE(1), readMaxBytes);
    hasHead = true;
    // The message, and as much again of what does not belong there, so that this can be said.
    assertReadable(size, 2 * (HEAD_BYTES + readMaxBytes), false);
  });
  let input: Message | undefined;
  let offset = 0;
  let unpacked = 0;
  while (offset + HEAD_BYTES <= body.length) {
    const flags = body.readUInt8(offset);
    const end = offset + HEAD_BYTES + body.readUInt32BE(offset + 1);
    assertReadable(end - offset - HEAD_BYTES, readMaxBytes);
    if (end > body.length) break;
    const packed = body.subarray(offset + HEAD_BYTES, end);
    offset = end;
    const bytes = (flags & COMPRESSED) === 0 ? packed : await unpack(call, packed);
    // As above: what is passed over costs its unpacking all the same, however small it is packed.
    unpacked += bytes.byteLength;
    assertReadable(unpacked, 2 * readMaxBytes, false);
    if ((flags & skipFlags) !== 0) continue;
    const message = call.codec.parse(bytes);
    if (input !== undefined) {
      throw createProtocolError('received extra input message for unary method');
    }
    input = message;
  }
  if (offset < body.length) {
    throw new ConnectError('protocol error: incomplete envelope', Code.InvalidArgument);
  }
  if (input === undefined) {
    throw createProtocolError('missing input message for unary method');
  }
  return input;
}

function unpack({ compression, route }: UnaryCall, packed: Uint8Array): Promise<Uint8Array> {
  if (compression.request === null) {
    throw new ConnectError(
      'received compressed envelope, but do not know how to decompress',
      Code.Internal,
    );
  }
  return decompress(packed, compression.request, route.options.readMaxBytes);
}

/** gRPC's status for a wrong number of messages: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md. */
function createProtocolError(message: string): ConnectError {
  return new ConnectError(`protocol error: ${message}`, Code.Unimplemented);
}

/** Packs one message, or one block of trailers, as this call's client wants it. */
export function packEnvelope(
  { compression, route }: UnaryCall,
  flags: number,
  bytes: Uint8Array,
): Awaitable<Buffer> {
  const packed = compress(bytes, compression.response, route.options.compressMinBytes);
  return packed === undefined
    ? encodeEnvelope(flags, bytes)
    : packed.then((smaller) => encodeEnvelope(flags | COMPRESSED, smaller));
}

export function encodeEnvelope(flags: number, bytes: Uint8Array): Buffer {
  const envelope = Buffer.allocUnsafe(HEAD_BYTES + bytes.byteLength);
  envelope.writeUInt8(flags, 0);
  envelope.writeUInt32BE(bytes.byteLength, 1);
  envelope.set(bytes, HEAD_BYTES);
  return envelope;
}
