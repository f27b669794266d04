/**
 * Owns what a PostgreSQL URL says: who connects to which database on which hosts, and how TLS is used. It is written as
 * for libpq (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), of whose parameters
 * those here are known; others are refused, because silence about them would be taken for consent.
 */

export interface PostgresHost {
  readonly host: string;
  readonly port: number;
}

/** How far TLS is trusted, from not at all to the certificate's authority and name. */
export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface PostgresAddress {
  /** One at least. Of several, the one that takes writes is used. */
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: {
    readonly mode: TlsMode;
    /** Files in PEM form. */
    readonly rootCertFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
  /** How many transactions a process runs at the same time, at most. */
  readonly maxTransactions: number;
  /** The URL without user, password and parameters: for people. */
  readonly name: string;
}

/** What is wrong with a URL, without a word of it. */
export class PostgresAddressError extends Error {
  override readonly name = 'PostgresAddressError';
}

const DEFAULT_PORT = 5432;
const DEFAULT_MAX_TRANSACTIONS = 10;
const TLS_MODES: readonly TlsMode[] = ['disable', 'require', 'verify-ca', 'verify-full'];
const PARAMETERS: ReadonlySet<string> = new Set([
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
  'pool_max_conns',
]);

const URL_FORM =
  /^postgres(?:ql)?:\/\/(?:(?<credentials>[^/?#]*)@)?(?<hosts>[^/?#@]*)\/(?<database>[^/?#]+)(?:\?(?<query>[^#]*))?$/;
const HOST_FORM = /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<name>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/** @throws {PostgresAddressError} */
export function parsePostgresUrl(url: string): PostgresAddress {
  const parts = URL_FORM.exec(url)?.groups;
  if (parts === undefined) {
    throw new PostgresAddressError(
      'must be postgres://USER:PASSWORD@HOST/DATABASE; what is special in a URL is written as %40 and the like',
    );
  }
  const { credentials = '', hosts: hostList = '', database = '', query = '' } = parts;
  const hosts = hostList.split(',').map(parseHost);
  const colon = credentials.indexOf(':');
  const user = decode(colon < 0 ? credentials : credentials.slice(0, colon));
  if (user === '') throw new PostgresAddressError('must name a user');
  const parameters = parseParameters(query);
  return {
    hosts,
    user,
    password: colon < 0 ? undefined : decode(credentials.slice(colon + 1)),
    database: decode(database),
    tls: {
      mode: parseTlsMode(parameters.get('sslmode'), hosts),
      rootCertFile: parameters.get('sslrootcert'),
      certFile: parameters.get('sslcert'),
      keyFile: parameters.get('sslkey'),
    },
    maxTransactions: parseCount(parameters.get('pool_max_conns')),
    name: `postgres://${hosts.map(describeHost).join(',')}/${decode(database)}`,
  };
}

export function describeHost({ host, port }: PostgresHost): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parseHost(text: string): PostgresHost {
  const parts = HOST_FORM.exec(text)?.groups;
  const host = parts?.['ipv6'] ?? decode(parts?.['name'] ?? '');
  const port = Number(parts?.['port'] ?? DEFAULT_PORT);
  if (host === '' || port < 1 || port > 65_535) {
    throw new PostgresAddressError(
      'must name its hosts as HOST or HOST:PORT, separated by commas, IPv6 addresses in brackets',
    );
  }
  return { host, port };
}

function parseParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((pair) => pair !== '')) {
    const [name = '', ...value] = pair.split('=');
    if (!PARAMETERS.has(name) || parameters.has(name)) {
      throw new PostgresAddressError(
        `must have no parameters but these, each once: ${[...PARAMETERS].join(', ')}`,
      );
    }
    parameters.set(name, decode(value.join('=')));
  }
  const target = parameters.get('target_session_attrs') ?? 'read-write';
  if (target !== 'read-write' && target !== 'primary') {
    throw new PostgresAddressError(
      'cannot have target_session_attrs other than read-write and primary',
    );
  }
  return parameters;
}

/** Off this machine, going without is a word that has to be said. */
function parseTlsMode(text: string | undefined, hosts: readonly PostgresHost[]): TlsMode {
  if (text === undefined) {
    return hosts.every(({ host }) => LOOPBACK.test(host)) ? 'disable' : 'verify-full';
  }
  const mode = TLS_MODES.find((mode) => mode === text);
  if (mode !== undefined) return mode;
  throw new PostgresAddressError(`must have as sslmode one of ${TLS_MODES.join(', ')}`);
}

function parseCount(text = String(DEFAULT_MAX_TRANSACTIONS)): number {
  if (/^\d{1,4}$/.test(text) && Number(text) > 0) return Number(text);
  throw new PostgresAddressError('must have a pool_max_conns from 1 to 9999');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PostgresAddressError('cannot have a % that no two hexadecimal digits follow');
  }
}
