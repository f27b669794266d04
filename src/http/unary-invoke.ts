/**
 * Owns the last steps to the implementation: through the interceptors, with the requests and contexts that connect-es
 * would have made for them. It refuses to know the wire.
 */
import type { DescMethodUnary, DescService, Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type {
  ContextValues,
  HandlerContext,
  Interceptor,
  UnaryRequest,
  UnaryResponse,
} from '@connectrpc/connect';
import { whenReady } from '../domain/awaitable.ts';
import type { Awaitable } from '../domain/awaitable.ts';
import type { UnaryContext } from './unary-context.ts';
import type { UnaryRoute } from './unary-routes.ts';

interface Invocation {
  readonly route: UnaryRoute;
  readonly context: UnaryContext;
}

type Next = Parameters<Interceptor>[0];
type Answer = ReturnType<Next>;

export function invoke(invocation: Invocation, input: Message): Awaitable<Message> {
  const { route, context } = invocation;
  const { method, codecs } = route;
  const { interceptors } = route.options;
  if (interceptors.length === 0) {
    return whenReady(route.implement(input, context), codecs.complete);
  }
  let next: Next = (request) =>
    request.stream ? refuseStream() : implement(invocation, completeRequest(context, request));
  // Applied for each call, as connect-es does: an interceptor may keep state between its two functions.
  for (const interceptor of interceptors.toReversed()) {
    const intercepted = interceptor(next);
    next = (request): Answer =>
      intercepted(request.stream ? request : completeRequest(context, request));
  }
  return next(new LazyRequest(method, context, input)).then((response) => {
    if (response.stream) return refuseStream();
    context.replaceResponse(response.header, response.trailer);
    return response.message;
  });
}

/**
 * What interceptors get. As in `UnaryContext`, what costs something is made when it is asked for; a copy by
 * `{...request}` gets it at the next step (`completeRequest`).
 */
class LazyRequest implements UnaryRequest {
  readonly stream = false;
  readonly service: DescService;
  readonly method: DescMethodUnary;
  readonly message: Message;
  readonly requestMethod: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly #context: UnaryContext;

  constructor(method: DescMethodUnary, context: UnaryContext, message: Message) {
    this.service = method.parent;
    this.method = method;
    this.message = message;
    this.requestMethod = context.requestMethod;
    this.header = context.requestHeader;
    this.contextValues = context.values;
    this.#context = context;
  }

  get url(): string {
    return this.#context.url;
  }
  get signal(): AbortSignal {
    return this.#context.signal;
  }
}

function completeRequest(context: UnaryContext, request: UnaryRequest): UnaryRequest {
  if (request instanceof LazyRequest) return request;
  const left: Partial<UnaryRequest> = { url: context.url, signal: context.signal };
  return { ...left, ...request };
}

async function implement(
  { route, context }: Invocation,
  request: UnaryRequest,
): Promise<UnaryResponse> {
  const { method } = route;
  const implementing = route.implement(request.message, contextOf(context, request));
  const output = implementing instanceof Promise ? await implementing : implementing;
  return {
    stream: false,
    service: method.parent,
    method,
    message: route.codecs.complete(output),
    header: context.responseHeader,
    trailer: context.responseTrailer,
  };
}

/** What interceptors may have changed comes from their request. */
function contextOf(context: UnaryContext, request: UnaryRequest): HandlerContext {
  if (request instanceof LazyRequest) return context;
  const { method, protocolName, timeoutMs, responseHeader, responseTrailer } = context;
  return {
    method,
    service: request.service,
    protocolName,
    requestMethod: context.requestMethod,
    url: context.url,
    timeoutMs,
    requestHeader: request.header,
    responseHeader,
    responseTrailer,
    signal: request.signal,
    values: request.contextValues,
  };
}

function refuseStream(): never {
  throw new ConnectError('an interceptor made a stream of a unary call', Code.Internal);
}
