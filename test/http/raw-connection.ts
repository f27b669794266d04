// Owns talking to a server in bytes of our choosing, right or wrong, and hearing all it says.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';

export type RawConnection = {
  readonly socket: Socket;
  /** All that the server has sent so far. */
  readonly received: () => Buffer;
  /** Resolves with all that the server sent when the connection is over, however it ends. */
  readonly closed: Promise<Buffer>;
  /** Resolves as soon as what the server sent satisfies `enough`; rejects if the connection ends before. */
  readonly receive: (enough: (received: Buffer) => boolean) => Promise<Buffer>;
};

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  const connection = observe(socket);
  await once(socket, 'connect');
  return connection;
}

/** Also for TLS sockets. */
export function observe(socket: Socket): RawConnection {
  let received: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  const closed = new Promise<Buffer>((resolve) => {
    socket.on('close', () => resolve(received));
  });
  return {
    socket,
    received: () => received,
    closed,
    receive: async (enough) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (enough(received)) {
            socket.off('data', check);
            resolve(received);
          }
        };
        socket.on('data', check);
        socket.on('close', () => reject(new Error(`closed after: ${received.toString('latin1')}`)));
        check();
      }),
  };
}

/** Sends the bytes one at a time until they are out or the connection is over. */
export async function drip(socket: Socket, bytes: Buffer | string, pauseMs: number): Promise<void> {
  for (const byte of Buffer.from(bytes)) {
    if (socket.destroyed || !socket.writable) {
      return;
    }
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}
