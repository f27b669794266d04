/**
 * Owns which part of the program answers a request: what is said of the process and its keys here, browsers by the
 * console and the login routes, calls by the RPC endpoint. It refuses to own connections (`listener.ts`) and what a
 * request means.
 */
import { answerJson } from './answer.ts';
import { applyCors } from './cors.ts';
import type { HandleRequest, HttpRequest, HttpResponse } from './exchange.ts';
import { readRequestId } from './request-id.ts';
import { notesOf } from './request-notes.ts';
import { readPath } from './request-path.ts';
import type { StaticFiles } from './static-answer.ts';

export interface RequestHandlerOptions {
  /** Answers calls, and everything that is not answered elsewhere. */
  readonly handleRpc: (request: HttpRequest, response: HttpResponse) => void;
  /** Answers browsers, or returns `undefined` for a path that is not theirs. */
  readonly handleLogin: (request: HttpRequest, response: HttpResponse) => Promise<void> | undefined;
  /** What describes the API, where it is public. */
  readonly apiDocuments?: StaticFiles | undefined;
  /** The console, where it has been built. Without it, the login routes answer at `/`. */
  readonly console: StaticFiles | undefined;
  readonly allowedOrigins: readonly string[];
  /** Resolves when calls can be served. */
  readonly checkReadiness: () => Promise<void>;
  /** Told why it did not, which the answer does not say. */
  readonly noteUnready: (error: unknown) => void;
  readonly isDraining: () => boolean;
  /** Browsers are to come back by TLS alone (RFC 6797), which is for answers over TLS to say. */
  readonly strictTransport?: boolean;
  /** Documents by path, such as `/.well-known/jwks.json`. */
  readonly documents: ReadonlyMap<string, Document>;
}

/** A public JSON document. */
export interface Document {
  readonly read: () => Promise<object>;
  /** How long a copy may be used, in seconds. */
  readonly maxAge: number;
}

/** A year; and of our own host, since others below the same name are not ours to speak for. */
const STRICT_TRANSPORT = 'max-age=31536000';

interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

export function createRequestHandler(options: RequestHandlerOptions): HandleRequest {
  return (request, response) => {
    const { header } = notesOf(request);
    header['x-request-id'] = readRequestId(request);
    if (options.strictTransport === true) header['strict-transport-security'] = STRICT_TRANSPORT;
    if (applyCors(request, response, options.allowedOrigins) === 'answered') return undefined;
    const path = readPath(request);
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (path === '/healthz') return answerJson({ request, response }, 200, { status: 'ok' });
      if (path === '/readyz') return answerReadiness({ request, response }, options);
      const document = options.documents.get(path);
      if (document !== undefined) return answerDocument({ request, response }, document);
    }
    if (options.apiDocuments?.answer(request, response) === true) return undefined;
    if (options.console?.answer(request, response) === true) return undefined;
    return options.handleLogin(request, response) ?? options.handleRpc(request, response);
  };
}

async function answerReadiness(exchange: Exchange, options: RequestHandlerOptions): Promise<void> {
  if (options.isDraining()) return answerJson(exchange, 503, { status: 'draining' });
  try {
    await options.checkReadiness();
  } catch (error) {
    options.noteUnready(error);
    const reason = 'The store takes no writes.';
    return answerJson(exchange, 503, { status: 'unavailable', reason });
  }
  return answerJson(exchange, 200, { status: 'ok' });
}

async function answerDocument(exchange: Exchange, { read, maxAge }: Document): Promise<void> {
  answerJson(exchange, 200, await read(), {
    'cache-control': `public, max-age=${maxAge}`,
    // Public keys are for anybody's page.
    'access-control-allow-origin': '*',
  });
}
