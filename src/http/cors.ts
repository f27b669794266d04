// Owns which browser pages of other origins may call us (Fetch standard, 3.2). Refuses to own the list of
// origins, and authentication: CORS protects the people behind browsers, not us.
import { cors } from '@connectrpc/connect';
import { sendAnswer } from './answer.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { notesOf } from './request-notes.ts';

const allowedMethods = cors.allowedMethods.join(', ');

const allowedHeaders = [
  ...cors.allowedHeaders,
  'Authorization',
  'X-Request-Id',
  'Claimgate-Preview',
  'Claimgate-Initial-State',
].join(', ');

const exposedHeaders = [
  ...cors.exposedHeaders,
  'X-Request-Id',
  'Retry-After',
  'Retry-After-Ms',
  'X-Should-Retry',
  'Claimgate-Preview',
].join(', ');

/** Seconds that a browser may remember a preflight: the most that Chromium honours. */
const maxAge = '7200';

/**
 * Adds the CORS headers. `answered` when the request was a preflight: it is over then, and its origin, if it
 * is not allowed, finds no permission in the answer. Origins match byte for byte; "null", which any sandboxed page
 * sends, never does. Nothing is ever allowed to `*`, since sessions come by cookie.
 */
export function applyCors(
  request: HttpRequest,
  response: HttpResponse,
  allowedOrigins: readonly string[],
): 'continue' | 'answered' {
  // Also where no permission is given: a cache must not hand this answer to another origin.
  const { header } = notesOf(request);
  header['vary'] = 'Origin';
  const { origin } = request.headers;
  const isAllowed = origin !== undefined && origin !== 'null' && allowedOrigins.includes(origin);
  if (isAllowed) {
    header['access-control-allow-origin'] = origin;
    header['access-control-allow-credentials'] = 'true';
  }
  const isPreflight =
    request.method === 'OPTIONS' &&
    origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight) {
    if (isAllowed) {
      header['access-control-expose-headers'] = exposedHeaders;
    }
    return 'continue';
  }
  if (isAllowed) {
    header['access-control-allow-methods'] = allowedMethods;
    header['access-control-allow-headers'] = allowedHeaders;
    header['access-control-max-age'] = maxAge;
  }
  sendAnswer(response, { status: 204, header: {}, body: undefined });
  return 'answered';
}
