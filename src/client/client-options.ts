/** Owns the options that clients for Node and for browsers share: their defaults, and what is refused at once. */
import type { Interceptor } from '@connectrpc/connect';

import { ClaimgateError } from './claimgate-error.ts';

/** A personal access token, or a function that is asked for one before each call. */
export type TokenSource = string | (() => string | Promise<string>);

/** What clients for Node and for browsers take alike. */
export interface CommonClientOptions {
  /** Where Claimgate listens, such as `https://sso.example.com`. A path such as `/api` at its end stays. */
  readonly baseUrl: string;
  /**
   * What is sent as `Authorization: Bearer …` with each call. A function is asked anew before each call, so that it can
   * bring a fresh token. Left out, calls go without: right for AccountService, and in a browser with a session.
   */
  readonly token?: TokenSource | undefined;
  /**
   * How long a call may take, in milliseconds; then it fails with `deadline_exceeded`. Default 10,000. 0 waits for
   * ever. Each call may name its own as its second argument: `{ timeoutMs }`.
   */
  readonly timeoutMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** The deadline in the form that transports take: `undefined` for none. */
export function resolveTimeoutMs(timeoutMs = DEFAULT_TIMEOUT_MS): number | undefined {
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0) {
    throw new TypeError('timeoutMs must be a number of milliseconds, 0 or more.');
  }
  return timeoutMs === 0 ? undefined : timeoutMs;
}

/** Checks an absolute base URL and takes slashes off its end. The message of the `TypeError` leaves out the URL. */
export function resolveBaseUrl(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError('baseUrl must be an http or https URL such as https://sso.example.com.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrl must hold no user, password, query or fragment.');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Sends the token with each call. */
export function createAuthorizer(token: TokenSource | undefined): readonly Interceptor[] {
  if (token === undefined) return [];
  return [
    (next) => async (request) => {
      const value = typeof token === 'string' ? token : await token();
      request.header.set('authorization', `Bearer ${checkToken(value)}`);
      return next(request);
    },
  ];
}

/** Refuses here what no header can carry: the platform's own error would repeat the token. */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ClaimgateError(
    'unauthenticated',
    'The token is empty or holds characters that no token has, such as a line break at its end.',
  );
}
