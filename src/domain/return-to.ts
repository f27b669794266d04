/** Owns where a browser may be sent after it has signed in or out. */

/**
 * The address to send the browser to, in its normal form, or `undefined` when it is not on an allowed origin.
 *
 * What counts is where a browser would really go (WHATWG URL Standard), not how it is written: `//host`, backslashes,
 * control characters and encoded delimiters are judged after parsing. Addresses with a user name or password are
 * refused whole.
 *
 * @param returnTo an absolute URL, or a path on our own origin.
 */
export function resolveReturnTo(
  returnTo: string,
  options: { readonly publicUrl: string; readonly allowedOrigins: readonly string[] },
): string | undefined {
  if (!URL.canParse(returnTo, options.publicUrl)) return undefined;
  const url = new URL(returnTo, options.publicUrl);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const own = new URL(options.publicUrl).origin;
  return url.origin === own || options.allowedOrigins.includes(url.origin) ? url.href : undefined;
}
