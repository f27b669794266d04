// Owns the service that the tests of the unary path call, in memory, and servers that serve it: ours and the original.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createContextKey, createContextValues, Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter, HandlerContext, Interceptor } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import { OrganizationService, SetRoleRequestSchema } from '../../gen/gitpod/v1/organization_pb.ts';
import type { HttpRequest, HttpResponse } from '../../src/http/exchange.ts';
import { createUnaryAdapter } from '../../src/http/unary-adapter.ts';
import type { UnaryAdapterOptions } from '../../src/http/unary-adapter.ts';

export const servicePath = '/gitpod.v1.OrganizationService';
export const readMaxBytes = 4096;
export const maxTimeoutMs = 300_000;

export const pathKey = createContextKey('', { description: 'the path, from the request' });

/** Marks responses, copies its request as an interceptor may, and says what it saw. */
const markingInterceptor: Interceptor = (next) => async (request) => {
  if (request.stream) return next(request);
  const response = await next({ ...request, header: new Headers(request.header) });
  const { pathname, search } = new URL(request.url);
  response.header.set('x-seen', `${request.requestMethod} ${pathname} ${search.length}`);
  response.trailer.set('x-path', request.contextValues.get(pathKey));
  return response;
};

/** Refuses by header, before the body. */
function refuseByHeader(context: HandlerContext): void {
  if (context.requestHeader.get('x-refuse') === null) return;
  context.responseHeader.set('x-gate', 'closed');
  throw new ConnectError('refused', Code.Unauthenticated, { 'www-authenticate': 'Bearer' });
}

export function registerRoutes(router: ConnectRouter): void {
  router.service(OrganizationService, {
    getOrganization: (request) => ({
      organization: { id: request.organizationId, name: 'Größe ☃' },
    }),
    // Header and trailer, and what the context says.
    getSSOConfiguration(request, context) {
      context.responseHeader.set('x-single', context.requestHeader.get('x-odd') ?? 'absent');
      context.responseHeader.append('set-cookie', 'a=1');
      context.responseHeader.append('set-cookie', 'b=2');
      context.responseTrailer.set('x-trailer', 'after');
      return {
        ssoConfiguration: {
          id: request.ssoConfigurationId,
          displayName: [
            context.protocolName,
            context.requestMethod,
            context.method.name,
            context.service.typeName,
            context.timeoutMs() === undefined,
          ].join(' '),
          claims: { email: 'mail' },
        },
      };
    },
    // Enums: what came is given back.
    listMembers: (request) => ({
      members: (request.filter?.roles ?? []).map((role) => ({
        role,
        fullName: `${request.sort?.field ?? ''}`,
      })),
    }),
    setRole: (request) => {
      throw new ConnectError(
        `no such user: ${request.userId} é ☃ %`,
        Code.FailedPrecondition,
        { 'x-meta': 'data', 'content-type': 'text/plain' },
        [{ desc: SetRoleRequestSchema, value: request }],
      );
    },
    leaveOrganization: () => {
      throw new Error('secret detail');
    },
    // As slow as its caller lets it be.
    deleteOrganization: async (_request, context) => {
      if (context.timeoutMs() === undefined) return {};
      await untilAborted(context.signal);
      return {};
    },
    // Large enough to be compressed.
    listSSOConfigurations: () => ({
      ssoConfigurations: Array.from({ length: 20 }, (_, index) => ({
        id: `${index}`,
        issuerUrl: 'https://idp.example.com/'.repeat(3),
      })),
    }),
    createSSOConfiguration: (request) => ({
      ssoConfiguration: {
        clientId: request.clientId,
        issuerUrl: request.issuerUrl,
        emailDomains: request.emailDomains,
      },
    }),
    // More than an answer may have.
    verifyDomain: () => ({ domainVerification: { domain: 'x'.repeat(70_000) } }),
  });
}

export async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

export function testOptions(): UnaryAdapterOptions {
  return {
    routes: registerRoutes,
    readMaxBytes,
    writeMaxBytes: 65_536,
    maxTimeoutMs,
    jsonOptions: { alwaysEmitImplicit: true, ignoreUnknownFields: true },
    acceptCompression: [compressionGzip, compressionBrotli],
    interceptors: [markingInterceptor],
    requestGate: refuseByHeader,
    contextValues: (request) => createContextValues().set(pathKey, request.url?.slice(0, 5) ?? ''),
  };
}

export type HttpVersion = 1 | 2;

type Handler = (request: HttpRequest, response: HttpResponse) => void;

export async function serveOurs(
  version: HttpVersion,
  options: Partial<UnaryAdapterOptions> = {},
): Promise<number> {
  return serve(version, createUnaryAdapter({ ...testOptions(), ...options }));
}

export async function serveOriginal(version: HttpVersion): Promise<number> {
  const { contextValues, fallback: _fallback, ...options } = testOptions();
  const handle = connectNodeAdapter({ ...options, ...(contextValues && { contextValues }) });
  return serve(version, handle);
}

/** Serves until the test is over; returns the port. */
export async function serve(version: HttpVersion, handle: Handler): Promise<number> {
  const server = version === 1 ? createServer(handle) : createHttp2Server(handle);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
