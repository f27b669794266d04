// Owns telling HTTP/2 from HTTP/1.1 on a plain connection by its first bytes, and the time a connection may
// take to show them. Refuses to own either protocol: what it read, it puts back, byte for byte.
import type { Socket } from 'node:net';

export type Protocol = 'http1' | 'http2';

/** What an HTTP/2 client that knows its server sends first (RFC 9113, 3.4). */
const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Judges a connection's first bytes; `undecided` as long as they are a true beginning of the HTTP/2 preface. */
export function matchPreface(bytes: Uint8Array): Protocol | 'undecided' {
  const compared = Math.min(bytes.length, http2Preface.length);
  if (http2Preface.compare(bytes, 0, compared, 0, compared) !== 0) {
    return 'http1';
  }
  return compared === http2Preface.length ? 'http2' : 'undecided';
}

/**
 * Calls `onDetected` once, in the turn in which the first bytes decide, with the socket as if nobody had read
 * from it. A socket that ends, fails, or has not decided within `timeoutMs` is destroyed, however busily it drips.
 */
export function detectProtocol(
  socket: Socket,
  timeoutMs: number,
  onDetected: (protocol: Protocol) => void,
): void {
  // Kept here and not put back until decided: every unshift would wake `readable` again.
  let peeked: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);

  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', read);
    socket.off('end', abandon);
    socket.off('close', stop);
  };
  const abandon = () => {
    stop();
    socket.destroy();
  };
  const read = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      return;
    }
    peeked = peeked.length === 0 ? chunk : Buffer.concat([peeked, chunk]);
    const protocol = matchPreface(peeked);
    if (protocol !== 'undecided') {
      stop();
      socket.unshift(peeked);
      onDetected(protocol);
    }
  };

  socket.on('readable', read);
  socket.on('end', abandon);
  socket.on('close', stop);
}
