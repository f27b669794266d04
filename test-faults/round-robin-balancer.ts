// Owns a balancer of TCP connections: each goes to the next server, or to the one after it where nobody listens.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Balancer {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** How many connections each server has been given, in their order. */
  readonly counts: readonly number[];
  readonly close: () => Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const counts = ports.map(() => 0);
  const open = new Set<Socket>();
  let turn = 0;

  const join = async (client: Socket): Promise<void> => {
    keep(client);
    for (const _ of ports) {
      const index = turn % ports.length;
      turn += 1;
      const replica = await tryConnect(ports[index] ?? 0);
      if (replica === undefined) continue;
      counts[index] = (counts[index] ?? 0) + 1;
      keep(replica);
      client.pipe(replica).pipe(client);
      // What breaks on one side breaks on the other.
      client.once('close', () => replica.destroy());
      replica.once('close', () => client.destroySoon());
      return;
    }
    client.destroy();
  };
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  };
  const server = createServer(
    { allowHalfOpen: true, noDelay: true },
    (client) => void join(client),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function tryConnect(port: number): Promise<Socket | undefined> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return undefined;
  }
}
