/**
 * Owns the door at which metrics are read: a small HTTP server of its own, so that they need not be where strangers are.
 * It refuses to own what is measured.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** All metrics, in Prometheus' text format. */
  readonly collect: () => Promise<string>;
  /** Told why they could not be had, which the answer does not say. */
  readonly onError: (error: unknown) => void;
}

export interface MetricsServer {
  readonly port: number;
  /** Answers nothing more. */
  readonly close: () => Promise<void>;
}

/** Times in milliseconds. Whoever reads metrics asks for one small page every few seconds. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 64;

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @throws the system's error when the port cannot be had. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, collect, onError } = options;
  /** Those who ask at once get the same. */
  let collecting: Promise<string> | undefined;
  const server = createServer(LIMITS, (request, response) => {
    request.resume();
    if (request.url?.split('?', 1)[0] !== '/metrics')
      return answer(request, response, 404, 'Metrics are at /metrics.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(request, response, 405, 'Metrics are for GET.\n');
    collecting ??= collect().finally(() => {
      collecting = undefined;
    });
    collecting.then(
      (text) => answer(request, response, 200, text),
      (error: unknown) => {
        onError(error);
        answer(request, response, 503, 'The metrics cannot be had just now.\n');
      },
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen({ host, port });
  await once(server, 'listening');
  server.on('error', onError);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  { method }: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
): void {
  response.writeHead(status, {
    'content-type': CONTENT_TYPE,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : text);
}
