/**
 * Owns the status at the end of an answer in gRPC and gRPC-Web. connect-es percent-encodes far more of `grpc-message`
 * than gRPC says, and clients that decode no more than they must, such as grpc-js, then show `%3A` for a colon.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';

/**
 * What has to be encoded: all but the printable characters of ASCII, and the percent sign. Spaces at the ends too, which
 * HTTP takes off a field: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses.
 */
const TO_ENCODE = /[^\x20-\x24\x26-\x7e]+|^ +|(?<! ) +$/gu;

/**
 * Of message and details in a trailer, in characters. Many clients take 8 KiB of headers, and what is much more than that
 * ends the connection with all other calls on it.
 */
const MAX_TRAILER = 7_000;
/** Of these, for the message, which is in the details once more. */
const MAX_MESSAGE = 1_500;
/** For the details as they are packed, in bytes. */
const MAX_DETAILS = 3_000;

const DETAILS = 'grpc-status-details-bin';

/** Writes status, message, details and the error's headers; `error.rawMessage` is well-formed Unicode. */
export function setGrpcStatus(trailer: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailer, error);
  trailer.set('grpc-message', error.rawMessage.replaceAll(TO_ENCODE, encodeURIComponent));
  return trailer;
}

/** As `setGrpcStatus`; what has no room is left out: the end of a long message, and the largest details. */
export function setShortGrpcStatus(trailer: Headers, error: ConnectError): Headers {
  setGrpcStatus(trailer, error);
  const written = ['grpc-message', DETAILS].map((name) => trailer.get(name) ?? '');
  if (written.join('').length <= MAX_TRAILER) return trailer;
  trailer.delete(DETAILS);
  return setGrpcStatus(trailer, shorten(error));
}

/** Without its headers, which have been written. */
function shorten({ rawMessage, code, details }: ConnectError): ConnectError {
  const short = new ConnectError(cutMessage(rawMessage), code);
  const sized = details.map((detail) => ({ detail, size: measureDetail(detail) }));
  let left = MAX_DETAILS;
  const kept = new Set<ConnectError['details'][number]>();
  for (const { detail, size } of sized.toSorted((a, b) => a.size - b.size)) {
    left -= size;
    if (left >= 0) kept.add(detail);
  }
  short.details = details.filter((detail) => kept.has(detail));
  return short;
}

function measureDetail(detail: ConnectError['details'][number]): number {
  return 'desc' in detail
    ? toBinary(detail.desc, create(detail.desc, detail.value)).length
    : detail.value.length;
}

function cutMessage(message: string): string {
  let length = 0;
  let end = 0;
  for (const character of message) {
    length += encodeURIComponent(character).length;
    if (length > MAX_MESSAGE) return `${message.slice(0, end)}…`;
    end += character.length;
  }
  return message;
}
