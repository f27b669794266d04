/**
 * Owns which part of the program answers a request: pages about ourselves here, calls by the RPC handler. It refuses
 * to own connections (`listener.ts`) and what a call means.
 */
import { applyCors } from './cors.ts';
import type { HandleRequest, HttpRequest, HttpResponse } from './exchange.ts';

export interface RequestHandlerOptions {
  /** Answers calls, and everything that is not answered here. */
  readonly handleRpc: (request: HttpRequest, response: HttpResponse) => void;
  readonly allowedOrigins: readonly string[];
  /** Resolves when calls can be served. */
  readonly checkReadiness: () => Promise<void>;
  readonly isDraining: () => boolean;
  /** Documents by path, such as `/.well-known/jwks.json`. */
  readonly documents: ReadonlyMap<string, Document>;
}

/** A public JSON document. */
export interface Document {
  readonly read: () => Promise<object>;
  /** How long a copy may be used, in seconds. */
  readonly maxAge: number;
}

export function createRequestHandler(options: RequestHandlerOptions): HandleRequest {
  return (request, response) => {
    if (applyCors(request, response, options.allowedOrigins) === 'answered') return undefined;
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/healthz') return answerJson(response, 200, { status: 'ok' });
      if (path === '/readyz') return answerReadiness(response, options);
      const document = options.documents.get(path);
      if (document !== undefined) return answerDocument(response, document);
    }
    return options.handleRpc(request, response);
  };
}

async function answerReadiness(
  response: HttpResponse,
  options: RequestHandlerOptions,
): Promise<void> {
  if (options.isDraining()) return answerJson(response, 503, { status: 'draining' });
  try {
    await options.checkReadiness();
  } catch {
    return answerJson(response, 503, {
      status: 'unavailable',
      reason: 'The store does not answer.',
    });
  }
  return answerJson(response, 200, { status: 'ok' });
}

async function answerDocument(response: HttpResponse, { read, maxAge }: Document): Promise<void> {
  const document = await read();
  response.setHeader('Cache-Control', `public, max-age=${maxAge}`);
  // Public keys are for anybody's page.
  response.setHeader('Access-Control-Allow-Origin', '*');
  answerJson(response, 200, document);
}

function answerJson(response: HttpResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...(!response.hasHeader('Cache-Control') && { 'Cache-Control': 'no-store' }),
  });
  response.end(text);
}
