/**
 * Owns the last steps to the implementation: through the interceptors, with the requests and contexts that connect-es
 * would have made for them. It refuses to know the wire.
 */
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Interceptor, UnaryRequest, UnaryResponse } from '@connectrpc/connect';
import type { UnaryContext } from './unary-context.ts';
import type { UnaryRoute } from './unary-routes.ts';

interface Invocation {
  readonly route: UnaryRoute;
  readonly context: UnaryContext;
}

type Next = Parameters<Interceptor>[0];

export async function invoke(invocation: Invocation, input: Message): Promise<Message> {
  const { route, context } = invocation;
  const { interceptors } = route.options;
  if (interceptors.length === 0) {
    return route.codecs.complete(await route.implement(input, context));
  }
  let next: Next = (request) => (request.stream ? refuseStream() : implement(invocation, request));
  // Applied for each call, as connect-es does: an interceptor may keep state between its two functions.
  for (const interceptor of interceptors.toReversed()) next = interceptor(next);
  const { method } = route;
  const response = await next({
    stream: false,
    service: method.parent,
    method,
    message: input,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
  });
  if (response.stream) return refuseStream();
  context.replaceResponse(response.header, response.trailer);
  return response.message;
}

/** The implementation gets a plain object here: what interceptors may have changed comes from their request. */
async function implement(
  { route, context }: Invocation,
  request: UnaryRequest,
): Promise<UnaryResponse> {
  const { method } = route;
  const { responseHeader, responseTrailer } = context;
  const output = await route.implement(request.message, {
    method,
    service: request.service,
    protocolName: context.protocolName,
    requestMethod: context.requestMethod,
    url: context.url,
    timeoutMs: context.timeoutMs,
    requestHeader: request.header,
    responseHeader,
    responseTrailer,
    signal: request.signal,
    values: request.contextValues,
  });
  return {
    stream: false,
    service: method.parent,
    method,
    message: route.codecs.complete(output),
    header: responseHeader,
    trailer: responseTrailer,
  };
}

function refuseStream(): never {
  throw new ConnectError('an interceptor made a stream of a unary call', Code.Internal);
}
