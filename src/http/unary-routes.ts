/**
 * Owns which unary methods there are: it stands in for connect-es's router, writes down what is registered, and can
 * register the same again elsewhere. It refuses to serve anything.
 */
import type { DescMessage, DescMethodUnary, Message, MessageInitShape } from '@bufbuild/protobuf';
import {
  createConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
} from '@connectrpc/connect';
import type { ConnectRouter, ConnectRouterOptions, HandlerContext } from '@connectrpc/connect';
import { createMethodUrl, validateUniversalHandlerOptions } from '@connectrpc/connect/protocol';
import type { UniversalHandlerOptions } from '@connectrpc/connect/protocol';
import type { MethodImplSpec } from '@connectrpc/connect';
import { compileCodecs } from './unary-codec.ts';
import type { MethodCodecs } from './unary-codec.ts';

export interface UnaryRoute {
  readonly method: DescMethodUnary;
  readonly implement: (
    input: Message,
    context: HandlerContext,
  ) => MessageInitShape<DescMessage> | Promise<MessageInitShape<DescMessage>>;
  readonly options: UniversalHandlerOptions;
  readonly codecs: MethodCodecs;
  /** The protocols that are switched on for it. */
  readonly protocols: Readonly<Record<ProtocolName, boolean>>;
}

export type ProtocolName = 'connect' | 'grpc' | 'grpc-web';

export interface RecordedRoutes {
  /** Every method's path, such as `/package.Service/Method`; undefined for a method that streams. */
  readonly byPath: ReadonlyMap<string, UnaryRoute | undefined>;
  /** Registers the same implementations. */
  readonly replay: (router: ConnectRouter) => void;
}

type MethodOptions = Partial<UniversalHandlerOptions> | undefined;

/** Calls `routes` once, so that whatever state it makes there is one. */
export function recordRoutes(
  routes: (router: ConnectRouter) => void,
  options: ConnectRouterOptions,
): RecordedRoutes {
  const byPath = new Map<string, UnaryRoute | undefined>();
  const replays: ((router: ConnectRouter) => void)[] = [];
  // Registers for real too: it validates, and whoever reads `handlers` finds them.
  const real = createConnectRouter(options);

  const record = (spec: MethodImplSpec, own: MethodOptions) =>
    byPath.set(createMethodUrl('/', spec.method), compileRoute(spec, options, own));
  const recorder: ConnectRouter = {
    handlers: real.handlers,
    service(service, implementation, own) {
      real.service(service, implementation, own);
      replays.push((router) => router.service(service, implementation, own));
      const { methods } = createServiceImplSpec(service, implementation);
      for (const spec of Object.values(methods)) record(spec, own);
      return recorder;
    },
    rpc(method, implementation, own) {
      real.rpc(method, implementation, own);
      replays.push((router) => router.rpc(method, implementation, own));
      record(createMethodImplSpec(method, implementation), own);
      return recorder;
    },
  };
  routes(recorder);
  return { byPath, replay: (router) => replays.forEach((register) => register(router)) };
}

function compileRoute(
  spec: MethodImplSpec,
  base: ConnectRouterOptions,
  own: MethodOptions,
): UnaryRoute | undefined {
  if (spec.kind !== 'unary') return undefined;
  const options = validateUniversalHandlerOptions(own === undefined ? base : { ...base, ...own });
  // As connect-es has it: options given with a service decide alone which protocols it speaks.
  const chosen: ConnectRouterOptions = own ?? base;
  return {
    method: spec.method,
    implement: spec.impl,
    options,
    codecs: compileCodecs(spec.method, options),
    protocols: {
      connect: chosen.connect !== false,
      grpc: chosen.grpc !== false,
      'grpc-web': chosen.grpcWeb !== false,
    },
  };
}
