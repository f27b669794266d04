/**
 * Owns a connection that breaks: passes everything on to the server, but cuts the first connection that says anything,
 * as a restart or a load balancer does. Who gets past it has repeated its call.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Gateway {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** Whether a connection was cut yet. */
  readonly hasCut: () => boolean;
  readonly stop: () => Promise<void>;
}

export async function startGateway(serverUrl: string): Promise<Gateway> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let hasCut = false;
  const server = createServer((client) => {
    keep(client);
    // Not at once: browsers open connections that they may never use.
    client.once('data', (first: Buffer) => {
      if (!hasCut) {
        hasCut = true;
        client.destroy();
        return;
      }
      const upstream = keep(connect(Number(port), hostname));
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasCut: () => hasCut,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
