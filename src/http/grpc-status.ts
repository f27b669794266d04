/**
 * Owns the status at the end of an answer in gRPC and gRPC-Web. connect-es percent-encodes far more of `grpc-message`
 * than gRPC says, and clients that decode no more than they must, such as grpc-js, then show `%3A` for a colon.
 */
import type { ConnectError } from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';

/**
 * What has to be encoded: all but the printable characters of ASCII, and the percent sign. Spaces at the ends too, which
 * HTTP takes off a field: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses.
 */
const TO_ENCODE = /[^\x20-\x24\x26-\x7e]+|^ +| +$/gu;

/** Writes status, message, details and the error's headers; `error.rawMessage` is well-formed Unicode. */
export function setGrpcStatus(trailer: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailer, error);
  trailer.set('grpc-message', error.rawMessage.replaceAll(TO_ENCODE, encodeURIComponent));
  return trailer;
}
