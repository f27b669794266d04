/** Owns where the path of a request ends and its query begins (RFC 3986 §3.4). */
import type { HttpRequest } from './exchange.ts';

/** As it was sent: nothing is decoded. */
export function readPath({ url = '' }: Pick<HttpRequest, 'url'>): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** With its question mark; empty where there is none. */
export function readSearch({ url = '' }: Pick<HttpRequest, 'url'>): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}
