/** Owns whether a request that changes something was sent by a page that may: ours, or one of an allowed origin. */
import type { LoginHttpHeaders } from './login-http.ts';

/**
 * Browsers name the page's origin in `Origin` with every POST (Fetch §3.2), and whether it is ours in
 * `Sec-Fetch-Site`, which no page can set (Fetch Metadata §2.3). A request with neither comes from no browser of
 * today, and is refused.
 */
export function isTrustedOrigin(
  headers: LoginHttpHeaders,
  options: { readonly publicUrl: string; readonly allowedOrigins: readonly string[] },
): boolean {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  if (origin === undefined) return site === 'same-origin';
  if (origin === new URL(options.publicUrl).origin) return site !== 'cross-site';
  // Any sandboxed page sends "null".
  return origin !== 'null' && options.allowedOrigins.includes(origin);
}
