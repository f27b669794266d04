// Owns HTTP/2 on sockets that somebody else accepted: its limits, and which session a request came by.
// Refuses to own listening, what requests mean, and the patience with a session (http2-session-guard.ts).
import { createServer } from 'node:http2';
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Session,
  ServerHttp2Session,
} from 'node:http2';
import { createExchangeRunner } from './exchange.ts';
import type { ProtocolServer, ProtocolServerOptions } from './http1-server.ts';
import { guardSession } from './http2-session-guard.ts';
import type { GuardedSession } from './http2-session-guard.ts';

export function createHttp2Server(options: ProtocolServerOptions): ProtocolServer {
  const { limits, handle, report } = options;
  const sessions = new Map<Http2Session, GuardedSession>();
  const runExchange = createExchangeRunner({ handle, report, timeoutMs: limits.exchangeTimeoutMs });
  let draining = false;

  const server = createServer({
    maxHeaderListPairs: limits.http2HeaderFields,
    maxSessionMemory: limits.http2SessionMemoryMiB,
    maxSessionInvalidFrames: limits.http2InvalidFrames,
    streamResetBurst: limits.http2ResetBurst,
    streamResetRate: limits.http2ResetsPerSecond,
    settings: {
      maxConcurrentStreams: limits.http2ConcurrentStreams,
      maxHeaderListSize: limits.headerBytes,
    },
  });

  server.on('sessionError', (error: unknown) => report(error, 'client'));

  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const { stream } = request;
    // A client that opens streams only to reset them shall not cost us the handler as well.
    if (stream.destroyed || stream.closed) {
      return;
    }
    const session = stream.session && sessions.get(stream.session);
    if (session === undefined) {
      stream.destroy();
      return;
    }
    // The announced limit binds the peer from its acknowledgement on, which it may never send.
    if (countHeaderBytes(request.rawHeaders) > limits.headerBytes) {
      response.writeHead(431).end();
      return;
    }
    session.admit(() => {
      if (!stream.destroyed) {
        runExchange({ request, response, onDeadline: () => session.cancel(stream) });
      }
    });
  });

  return {
    accept(socket) {
      // On the socket's own end the session shall end, too; HTTP/1.1 wants it the other way round.
      socket.allowHalfOpen = false;
      server.once('session', (session: ServerHttp2Session) => {
        const guarded = guardSession(session, socket, limits);
        sessions.set(session, guarded);
        session.once('close', () => sessions.delete(session));
        if (draining) {
          guarded.drain();
        }
      });
      server.emit('connection', socket);
    },
    drain() {
      draining = true;
      for (const session of sessions.values()) {
        session.drain();
      }
    },
    stop() {
      // Never listened and no session left: nothing to release.
    },
  };
}

/** As SETTINGS_MAX_HEADER_LIST_SIZE counts them, with 32 for each field (RFC 9113, 6.5.2). */
function countHeaderBytes(rawHeaders: readonly string[]): number {
  let bytes = rawHeaders.length * 16;
  for (const part of rawHeaders) {
    bytes += part.length;
  }
  return bytes;
}
