// Owns the one port: accepting connections, plain or TLS, giving each to the protocol it speaks, and closing
// down without failing a request. Refuses to own the protocols and to know what requests are about.
import { createServer as createPlainServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { HandleRequest, ReportError } from './exchange.ts';
import { createHttp1Server } from './http1-server.ts';
import { createHttp2Server } from './http2-server.ts';
import { resolveListenerLimits } from './listener-limits.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { detectProtocol } from './protocol-detection.ts';
import type { Protocol } from './protocol-detection.ts';

export type ListenerOptions = {
  /** A name or an address of this machine. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** PEM. With it, the port speaks TLS 1.2 or 1.3 only; without, plain text only. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /**
   * Instead of accepting connections itself, it takes those that another process has accepted at this port: the
   * function is called once, with what to call with each.
   */
  readonly receiveConnections?: ((take: (socket: Socket) => void) => void) | undefined;
  readonly handle: HandleRequest;
  readonly limits?: Partial<ListenerLimits> | undefined;
  readonly onError?: ReportError | undefined;
};

export type Listener = {
  readonly port: number;
  /** Aborted when `close` begins: "ready" is over, requests under way are not. */
  readonly draining: AbortSignal;
  /**
   * Accepts no more connections, lets requests under way finish, also those already sent to us on open
   * connections, and resolves when the last connection is gone: after `drainMs` milliseconds at the latest,
   * when all that is left is cut. Further calls wait for the first.
   */
  readonly close: (options: { readonly drainMs: number }) => Promise<void>;
};

/** @throws RangeError for bad limits; the system's error when the port cannot be had, or the certificate read. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const limits = resolveListenerLimits(options.limits);
  const report = shieldReport(options.onError);
  const protocolOptions = { limits, handle: options.handle, report };
  const protocols = {
    http1: createHttp1Server(protocolOptions),
    http2: createHttp2Server(protocolOptions),
  };
  /** Every connection, by its peer: a TLS socket and the plain one beneath it have the same. */
  const connections = new Map<string, { readonly socket: Socket; claimed: boolean }>();
  const draining = new AbortController();
  const gone = Promise.withResolvers<void>();

  const give = (socket: Socket, protocol: Protocol) => {
    const connection = connections.get(peerOf(socket));
    if (connection === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    connection.claimed = true;
    protocols[protocol].accept(socket);
  };

  const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true };
  const server: Server =
    options.tls === undefined
      ? createPlainServer(socketOptions, (socket) => {
          detectProtocol(socket, limits.silentSocketTimeoutMs, (protocol) =>
            give(socket, protocol),
          );
        })
      : createTlsServer(
          {
            ...socketOptions,
            cert: options.tls.cert,
            key: options.tls.key,
            minVersion: 'TLSv1.2',
            ALPNProtocols: ['h2', 'http/1.1'],
            handshakeTimeout: limits.silentSocketTimeoutMs,
          },
          (socket) => {
            shieldSocket(socket);
            give(socket, socket.alpnProtocol === 'h2' ? 'http2' : 'http1');
          },
        );
  server.maxConnections = limits.maxConnections;

  const shieldSocket = (socket: Socket) => {
    // A reset connection is the peer's affair; without a listener it would end the process.
    socket.on('error', (error) => report(error, 'client'));
  };
  server.prependListener('connection', (socket: Socket) => {
    shieldSocket(socket);
    const peer = peerOf(socket);
    const connection = { socket, claimed: false };
    connections.set(peer, connection);
    socket.once('close', () => {
      if (connections.get(peer) === connection) {
        connections.delete(peer);
      }
      if (draining.signal.aborted && connections.size === 0) gone.resolve();
    });
  });
  server.on('tlsClientError', (error: unknown, socket: TLSSocket) => {
    report(error, 'client');
    socket.destroy();
  });

  const port = await open().catch((error: unknown) => {
    protocols.http1.stop();
    protocols.http2.stop();
    throw error;
  });

  async function open(): Promise<number> {
    if (options.receiveConnections === undefined) {
      const bound = await listen(server, options);
      server.on('error', (error) => report(error, 'accept'));
      return bound.port;
    }
    options.receiveConnections((socket) => {
      if (connections.size >= limits.maxConnections) {
        socket.destroy();
        return;
      }
      socket.allowHalfOpen = socketOptions.allowHalfOpen;
      socket.setNoDelay(socketOptions.noDelay).setKeepAlive(socketOptions.keepAlive);
      server.emit('connection', socket);
    });
    return options.port;
  }

  const destroyConnections = (claimed: 'all' | 'unclaimed') => {
    for (const connection of connections.values()) {
      if (claimed === 'all' || !connection.claimed) {
        connection.socket.destroy();
      }
    }
  };

  const shutDown = async (drainMs: number): Promise<void> => {
    draining.abort();
    // Connections that the kernel has accepted already would be reset; one turn takes them in.
    await new Promise((resolve) => setImmediate(resolve));
    server.close();
    if (connections.size === 0) gone.resolve();
    protocols.http1.drain();
    protocols.http2.drain();
    const grace = setTimeout(() => destroyConnections('unclaimed'), limits.drainGraceMs);
    const end = setTimeout(() => destroyConnections('all'), drainMs);
    await gone.promise;
    clearTimeout(grace);
    clearTimeout(end);
    protocols.http1.stop();
    protocols.http2.stop();
  };
  let shutdown: Promise<void> | undefined;

  return {
    port,
    draining: draining.signal,
    close: ({ drainMs }) => (shutdown ??= shutDown(drainMs)),
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** What reports errors must not make one that ends the process. */
function shieldReport(onError: ReportError | undefined): ReportError {
  return (error, place) => {
    try {
      onError?.(error, place);
    } catch {
      // There is nowhere left to tell it.
    }
  };
}

async function listen(server: Server, options: ListenerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') {
        reject(new Error('The listener is bound to no port.'));
      } else {
        resolve(bound);
      }
    });
  });
}
