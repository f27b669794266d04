/** Owns which port the demo is reached at. */
import { once } from 'node:events';
import { createServer } from 'node:net';

const PREFERRED = 8080;

/** `localhost` is both of these, and a browser takes whichever answers. */
const HOSTS = ['127.0.0.1', '::1'];

/** @param wanted must be free then; 0 or `undefined` leaves the choice, and 8080 is the first one of `undefined`. */
export async function choosePort(wanted: number | undefined): Promise<number> {
  const port = wanted ?? PREFERRED;
  if (port !== 0 && (await isFree(port))) return port;
  if (wanted !== undefined && wanted !== 0)
    throw new Error(`Another program has port ${wanted}. Name another one, or none.`);
  for (;;) {
    const found = await bind(0, '127.0.0.1');
    if (await isFree(found)) return found;
  }
}

async function isFree(port: number): Promise<boolean> {
  try {
    for (const host of HOSTS) await bind(port, host);
    return true;
  } catch (error) {
    if (readCode(error) === 'EADDRINUSE') return false;
    throw error;
  }
}

/** Binds and lets go. A machine without IPv6 has nothing there that could be in the way. */
async function bind(port: number, host: string): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(readCode(error))) return port;
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? port) : port;
}

function readCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
