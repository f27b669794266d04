/**
 * Owns the choice of protocol and format for a request to a unary method, by verb and content type. What it does not
 * choose is for connect-es to answer (415, 405).
 */
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { HttpRequest } from './exchange.ts';
import type { Negotiated } from './unary-call.ts';
import { connectProtocol } from './unary-connect.ts';
import { grpcProtocol } from './unary-grpc.ts';
import { grpcWebProtocol } from './unary-grpc-web.ts';
import type { UnaryRoute } from './unary-routes.ts';

const connectJson: Negotiated = { protocol: connectProtocol, format: 'json', query: undefined };
const connectBinary: Negotiated = { ...connectJson, format: 'binary' };
const grpcBinary: Negotiated = { protocol: grpcProtocol, format: 'binary', query: undefined };
const grpcWebBinary: Negotiated = { ...grpcBinary, protocol: grpcWebProtocol };

const formats: ReadonlyMap<string, Negotiated> = new Map<string, Negotiated>([
  ['application/json', connectJson],
  ['application/proto', connectBinary],
  ['application/grpc', grpcBinary],
  ['application/grpc+proto', grpcBinary],
  ['application/grpc+json', { ...grpcBinary, format: 'json' }],
  ['application/grpc-web', grpcWebBinary],
  ['application/grpc-web+proto', grpcWebBinary],
  ['application/grpc-web+json', { ...grpcWebBinary, format: 'json' }],
]);

/** A charset may be named with JSON, and it must be UTF-8: connect-es's rule, letter by letter. */
const UTF8_SUFFIX = /(?<=json); ?charset=utf-?8$/;

export function parseContentType(value: string | undefined): Negotiated | undefined {
  if (value === undefined) return undefined;
  return formats.get(value) ?? formats.get(value.toLowerCase().replace(UTF8_SUFFIX, ''));
}

export function negotiate(
  { method, protocols }: UnaryRoute,
  request: HttpRequest,
): Negotiated | undefined {
  const type = request.headers['content-type'];
  if (request.method === 'POST') {
    const chosen = parseContentType(type);
    return chosen !== undefined && protocols[chosen.protocol.name] ? chosen : undefined;
  }
  if (
    request.method !== 'GET' ||
    method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ||
    !protocols.connect
  ) {
    return undefined;
  }
  // A GET has no content, so its type is absent; some clients send it nevertheless.
  if (type !== undefined && type !== '' && parseContentType(type)?.protocol !== connectProtocol) {
    return undefined;
  }
  const [, search = ''] = /\?([^#]*)/.exec(request.url ?? '') ?? [];
  const query = new URLSearchParams(search);
  const encoding = query.get('encoding');
  if (encoding === 'json') return { ...connectJson, query };
  if (encoding === 'proto') return { ...connectBinary, query };
  return undefined;
}
