/** Owns the joining of the login spoke to HTTP: Node's requests become its own, and its answers Node's. */
import type { StartServedSpan } from '../domain/tracing.ts';
import type { LoginHttpResponse, LoginRoutes } from '../login/routes.ts';
import { sendAnswer } from './answer.ts';
import type { HeaderFields } from './answer.ts';
import { readClientAddress } from './client-address.ts';
import type { AddressBlock } from './client-address.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { readRequestId } from './request-id.ts';
import { readPath } from './request-path.ts';
import { readTraceId, startSpan } from './trace-context.ts';
import { drainBody, readBody } from './unary-body.ts';

/** Of a form, in bytes. Ours hold an email and an address to return to. */
const FORM_MAX_BYTES = 16 * 1024;
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

export function createLoginEndpoint(
  routes: LoginRoutes,
  trustedProxies: readonly AddressBlock[],
  startServedSpan?: StartServedSpan,
): (request: HttpRequest, response: HttpResponse) => Promise<void> | undefined {
  return (request, response) => {
    const url = request.url ?? '';
    const path = readPath(request);
    const method = request.method ?? '';
    const route = routes.match(path);
    if (route === undefined) return undefined;
    const parts = { method, path, query: url.slice(path.length) };
    if (startServedSpan === undefined) return answer(request, response, parts);
    const served = { kind: 'page', method: nameMethod(method), route } as const;
    const span = startSpan(startServedSpan, request, served);
    const answering = span.run(() => answer(request, response, parts));
    return answering.then(
      () => span.end(String(response.statusCode), response.statusCode >= 500),
      (error: unknown) => {
        span.end('500', true);
        throw error;
      },
    );
  };

  async function answer(
    request: HttpRequest,
    response: HttpResponse,
    { method, path, query }: { method: string; path: string; query: string },
  ): Promise<void> {
    const form = await readForm(request);
    // A browser that left is no failing of ours: there is nobody to answer, and nothing to report.
    if (form === 'aborted') return;
    if (form === 'too large') {
      sendAnswer(response, {
        status: 413,
        header: { connection: 'close', 'content-length': '0' },
        body: undefined,
      });
      return drainBody(request);
    }
    const { headers, socket } = request;
    const answered = await routes.handle({
      requestId: readRequestId(request),
      traceId: readTraceId(request),
      method,
      path,
      query: new URLSearchParams(query),
      headers: {
        authorization: headers.authorization,
        cookie: headers.cookie,
        origin: headers.origin,
        'sec-fetch-site': [headers['sec-fetch-site']].flat()[0],
      },
      form,
      address: readClientAddress(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies),
    });
    return sendAnswer(response, {
      status: answered.status,
      header: copyHeaders(answered.headers),
      body: Buffer.from(answered.body),
    });
  }
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name: any other is anybody's text. */
function nameMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE'].includes(method)
    ? method
    : '_OTHER';
}

async function readForm(
  request: HttpRequest,
): Promise<URLSearchParams | 'too large' | 'aborted' | undefined> {
  if (request.method !== 'POST' || !FORM_TYPE.test(request.headers['content-type'] ?? '')) {
    request.resume();
    return undefined;
  }
  const tooLarge = new Error('too large');
  try {
    const body = await readBody(request, (_chunks, size) => {
      if (size > FORM_MAX_BYTES) throw tooLarge;
    });
    return new URLSearchParams(body.toString());
  } catch (reason) {
    return reason === tooLarge ? 'too large' : 'aborted';
  }
}

function copyHeaders(headers: LoginHttpResponse['headers']): HeaderFields {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );
}
