// Owns HTTP/1.1 on sockets that somebody else accepted: its timeouts, its plain answers to what it cannot
// parse, and letting its connections go at shutdown. Refuses to own listening and what requests mean.
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createExchangeRunner } from './exchange.ts';
import type { HandleRequest, ReportError } from './exchange.ts';
import type { ListenerLimits } from './listener-limits.ts';

/** One protocol behind the listener. */
export type ProtocolServer = {
  /** Takes over a connected socket, with whatever bytes were put back into it. */
  readonly accept: (socket: Socket) => void;
  /** Finishes what is open and starts nothing new, as gently as the protocol can; returns at once. */
  readonly drain: () => void;
  /** Releases timers; the sockets are gone by then. */
  readonly stop: () => void;
};

export type ProtocolServerOptions = {
  readonly limits: ListenerLimits;
  readonly handle: HandleRequest;
  readonly report: ReportError;
};

type Connection = {
  readonly socket: Socket;
  /** Responses not yet ended; several if the client pipelines. A Set that comes and goes empty litters the old space. */
  readonly responses: ServerResponse[];
  refused: boolean;
  idleTimer: NodeJS.Timeout | undefined;
};

/** After the last answer, how long to read on: closing with unread bytes makes the kernel drop that answer. */
const lingerMs = 500;

export function createHttp1Server(options: ProtocolServerOptions): ProtocolServer {
  const { limits, handle, report } = options;
  const connections = new Map<Duplex, Connection>();
  const runExchange = createExchangeRunner({ handle, report, timeoutMs: limits.exchangeTimeoutMs });
  let draining = false;

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckIntervalMs,
  });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return;
    }
    clearTimeout(connection.idleTimer);
    connection.responses.push(response);
    if (draining) {
      response.setHeader('Connection', 'close');
    }
    runExchange({
      request,
      response,
      onDeadline: () => refuse(connection, request.complete ? 503 : 408),
      onClose() {
        removeResponse(connection, response);
        if (draining) {
          closeWhenIdle(connection);
        }
      },
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    report(error, 'client');
    const connection = connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
    } else {
      refuse(connection, statusOfClientError(error.code));
    }
  });

  // Node drops these unanswered. We proxy for nobody; an Upgrade header without CONNECT is simply ignored.
  server.on('connect', (_request, socket) => socket.end(plainAnswer(405), () => socket.destroy()));

  // The checks of headersTimeout and requestTimeout start at `listening`, which this server never does itself.
  server.emit('listening');

  /** While draining: closes the connection unless it brings another request within the grace. */
  function closeWhenIdle(connection: Connection): void {
    const { socket } = connection;
    clearTimeout(connection.idleTimer);
    if (connection.responses.length > 0 || socket.destroyed) {
      return;
    }
    const bytesBefore = socket.bytesRead;
    connection.idleTimer = setTimeout(() => {
      if (socket.bytesRead === bytesBefore) {
        endSocket(socket);
      } else {
        // Half a request has arrived meanwhile; its rest will.
        closeWhenIdle(connection);
      }
    }, limits.drainGraceMs);
  }

  return {
    accept(socket) {
      const connection: Connection = {
        socket,
        responses: [],
        refused: false,
        idleTimer: undefined,
      };
      connections.set(socket, connection);
      socket.once('close', () => {
        clearTimeout(connection.idleTimer);
        connections.delete(socket);
      });
      server.emit('connection', socket);
      if (draining) {
        closeWhenIdle(connection);
      }
    },
    drain() {
      draining = true;
      for (const connection of connections.values()) {
        for (const response of connection.responses) {
          if (!response.headersSent) {
            response.setHeader('Connection', 'close');
          }
        }
        closeWhenIdle(connection);
      }
    },
    stop() {
      // Never listened, so all that close does is to end the timeout checks.
      server.close(() => undefined);
    },
  };
}

function removeResponse({ responses }: Connection, response: ServerResponse): void {
  const index = responses.lastIndexOf(response);
  if (index === responses.length - 1) responses.pop();
  else if (index >= 0) responses.splice(index, 1);
}

/** Answers outside any exchange and closes; a connection on which an answer has begun is just cut. */
function refuse(connection: Connection, status: number): void {
  if (connection.refused) {
    return;
  }
  connection.refused = true;
  const { socket, responses } = connection;
  if (!socket.writable || responses.some((response) => response.headersSent)) {
    socket.destroy();
    return;
  }
  socket.write(plainAnswer(status));
  endSocket(socket);
}

function endSocket(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

function statusOfClientError(code: string | undefined): number {
  switch (code ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}

function plainAnswer(status: number): string {
  const reason = STATUS_CODES[status] ?? '';
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${reason.length + 1}`,
    '',
    `${reason}\n`,
  ].join('\r\n');
}
