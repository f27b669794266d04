/** Owns the session cookie as both spokes see it that take sessions, `rpc` and `login`: its name, and how it is found. */

/**
 * `__Host-` binds the cookie to our host and to https (RFC 6265bis §4.1.3.2). Browsers refuse it on plain http, which
 * is for development on this machine alone.
 */
export function nameSessionCookie(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-claimgate-session' : 'claimgate-session';
}

/**
 * The value of the cookie of this name in a `Cookie` header (RFC 6265 §4.2.1). A name that comes twice is as good as
 * none: somebody may have planted one of them.
 */
export function readCookie(header: string | null | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
