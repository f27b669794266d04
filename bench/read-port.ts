/** Owns the answer to where a server listens that took any free port. */
import type { AddressInfo } from 'node:net';

export function readPort(server: { address(): AddressInfo | string | null }): number {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('It listens at no port');
  return bound.port;
}
