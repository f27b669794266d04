/**
 * Owns which of several servers is asked: the one that takes writes. It is remembered until a connection to it fails,
 * is lost or hangs; then all are asked at once, because a server that hangs would keep us from the one that has taken
 * over. That only one of them takes writes at a time is for whoever makes it the primary to see to.
 */
import type { PostgresAddress, PostgresHost } from './postgres-address.ts';
import { connectToHost } from './postgres-connection.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresError, readPostgresError } from './postgres-errors.ts';

export interface PrimaryConnector {
  /** Fails with `PostgresError`. */
  readonly connect: () => Promise<PostgresConnection>;
  /** To be told when a connection turns out to be of no more use. */
  readonly doubt: (connection: PostgresConnection) => void;
  /** Whether there is no reason to open another one instead. */
  readonly isTrusted: (connection: PostgresConnection) => boolean;
}

/** For one server to be connected to, in milliseconds. */
const CONNECT_TIMEOUT = 2000;

/** @param applicationName what the connections are called in pg_stat_activity */
export function createPrimaryConnector(
  address: PostgresAddress,
  applicationName?: string,
): PrimaryConnector {
  const { hosts } = address;
  let primary: PostgresHost | undefined;
  let trusted = new WeakSet<PostgresConnection>();
  const tryHost = (host: PostgresHost): Promise<PostgresConnection> =>
    connectToHost(address, host, CONNECT_TIMEOUT, applicationName);
  const connectToPrimary = async (): Promise<PostgresConnection> => {
    if (primary !== undefined) {
      const host = primary;
      try {
        return await tryHost(host);
      } catch (error) {
        if (primary === host) primary = undefined;
        if (hosts.length === 1) throw error;
      }
    }
    return takeFirst(hosts.map(tryHost));
  };
  return {
    async connect() {
      const connection = await connectToPrimary();
      primary = connection.host;
      trusted.add(connection);
      return connection;
    },
    doubt({ host }) {
      // Where there is one server, its other connections are as good as new ones would be.
      if (hosts.length === 1 || primary !== host) return;
      primary = undefined;
      trusted = new WeakSet();
    },
    isTrusted: (connection) => connection.isOpen() && trusted.has(connection),
  };
}

/** The first to be there; those that come later are ended. */
async function takeFirst(
  attempts: readonly Promise<PostgresConnection>[],
): Promise<PostgresConnection> {
  try {
    const first = await Promise.any(attempts);
    for (const attempt of attempts) {
      attempt.then(
        (connection) => connection !== first && connection.end(),
        () => {},
      );
    }
    return first;
  } catch (error) {
    const failures = error instanceof AggregateError ? error.errors : [error];
    throw chooseTelling(failures.map(readPostgresError));
  }
}

/** A server that refuses says more than one that is not there. */
function chooseTelling(failures: readonly PostgresError[]): PostgresError {
  const [first] = failures;
  const refused = failures.find(({ failure }) => failure !== 'lost' && failure !== 'silent');
  return refused ?? first ?? new PostgresError('lost', 'there is no server');
}
