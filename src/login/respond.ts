/** Owns the three kinds of answers: a page, a redirect, and JSON. */
import type { LoginHttpResponse } from './login-http.ts';
import { createPageHeaders, renderPage } from './page.ts';
import type { Page, PagePolicy } from './page.ts';

export function respondWithPage(
  policy: PagePolicy,
  status: number,
  page: Page,
  headers: LoginHttpResponse['headers'] = {},
): LoginHttpResponse {
  return {
    status,
    headers: { ...createPageHeaders(page, policy), ...headers },
    body: renderPage(page),
  };
}

/** 303: the browser goes on with GET, whatever it came with (RFC 9110 §15.4.4). */
export function respondWithRedirect(
  location: string,
  headers: LoginHttpResponse['headers'] = {},
): LoginHttpResponse {
  return {
    status: 303,
    headers: {
      location: new URL(location).href,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      ...headers,
    },
    body: '',
  };
}

export function respondWithJson(
  status: number,
  value: object,
  headers: LoginHttpResponse['headers'] = {},
): LoginHttpResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      vary: 'Cookie',
      ...headers,
    },
    body: JSON.stringify(value),
  };
}
