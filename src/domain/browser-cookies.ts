/**
 * Owns our two cookies: their names, how they are written and how strictly they are read (RFC 6265bis). What their
 * values open is not its business.
 */

export type CookieKind = 'session' | 'login';

export interface CookieNames {
  readonly session: string;
  readonly login: string;
  /** The browser sends them over TLS alone. */
  readonly secure: boolean;
}

/** The browser refuses a `__Host-` cookie that another host, path or plain HTTP tries to set (RFC 6265bis §4.1.3.2). */
const SECURE_NAMES: CookieNames = {
  session: '__Host-claimgate-session',
  login: '__Host-claimgate-login',
  secure: true,
};

/** For development on one's own machine, where there is no TLS. */
const LOCAL_NAMES: CookieNames = {
  session: 'claimgate-session',
  login: 'claimgate-login',
  secure: false,
};

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What our cookies look like. Anything else was not written by us. */
const VALUES: Readonly<Record<CookieKind, RegExp>> = {
  session: /^cgses_[\w-]{43}$/,
  login: /^[\w-]{43}$/,
};

/** From where a run of blanks begins alone, or else as many blanks as a header holds would be tried from each on. */
const BLANK_ENDS = /^[ \t]+|(?<![ \t])[ \t]+$/g;

/** The cookies for a public URL, or `undefined` when it is plain HTTP to another machine: nobody may sign in there. */
export function selectCookieNames(publicUrl: string): CookieNames | undefined {
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === 'https:') return SECURE_NAMES;
  return LOCAL_HOSTS.has(hostname) ? LOCAL_NAMES : undefined;
}

/** The cookie's value, or `undefined` when it is absent, malformed, or there is more than one of its name. */
export function readCookie(
  header: string | undefined,
  names: CookieNames,
  kind: CookieKind,
): string | undefined {
  const prefix = `${names[kind]}=`;
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.replaceAll(BLANK_ENDS, ''))
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  const [value] = values;
  return values.length === 1 && value !== undefined && VALUES[kind].test(value) ? value : undefined;
}

/** The session's token in a request to this public URL, if there is one. */
export function readSessionToken(
  header: string | undefined,
  publicUrl: string,
): string | undefined {
  const names = selectCookieNames(publicUrl);
  return names === undefined ? undefined : readCookie(header, names, 'session');
}

/** A `Set-Cookie` value. `Lax`, because people come back from the identity provider by a link of another site. */
export function writeCookie(
  names: CookieNames,
  kind: CookieKind,
  value: string,
  maxAgeMs: number,
): string {
  const maxAge = Math.floor(maxAgeMs / 1000);
  const secure = names.secure ? '; Secure' : '';
  return `${names[kind]}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
}

/** A `Set-Cookie` value that takes the cookie away. */
export function clearCookie(names: CookieNames, kind: CookieKind): string {
  return writeCookie(names, kind, '', 0);
}
