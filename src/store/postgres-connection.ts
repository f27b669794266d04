/**
 * Owns one connection to a PostgreSQL server: how it is made, what it is set to, and that every question on it has a
 * time by which it is answered or failed. It refuses to own which server it goes to (`postgres-primary.ts`).
 */
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { PostgresAddress, PostgresHost } from './postgres-address.ts';
import { PostgresError, readPostgresError } from './postgres-errors.ts';

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Prepared under this name once for each connection; not prepared when absent. */
  readonly name?: string | undefined;
}

/** Of the last statement, where there were several. */
export interface StatementResult {
  /** Such as `SELECT` or `COMMIT`. */
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export interface PostgresConnection {
  readonly host: PostgresHost;
  /** False once it is lost or ended. */
  isOpen(): boolean;
  /**
   * Several at a time are sent one behind another, and answered in this order. Fails with `PostgresError`; one that is
   * not answered in time ends the connection, because the answer would still come.
   *
   * @param deadline by `performance.now()`
   */
  query(statement: Statement, deadline: number): Promise<StatementResult>;
  /** What has been asked is still answered. */
  end(): void;
}

/** What a server's connections are called in pg_stat_activity. */
export const SERVER_NAME = 'claimgate';

/** For answers that are still to come when a connection is ended, in milliseconds. */
const END_GRACE = 3000;

/**
 * What the server itself ends, in milliseconds. We give up before it does: it answers a COMMIT that it stops waiting
 * for (of a standby) as if all were well, and then nobody may listen any more.
 */
const SERVER_TIMEOUTS = {
  statement_timeout: 5000,
  lock_timeout: 2000,
  // A process that hangs between two statements keeps no locks.
  idle_in_transaction_session_timeout: 5000,
} as const;

/** Until a dead peer is asked whether it is there, in milliseconds. */
const KEEP_ALIVE_AFTER = 10_000;

/** A commit is acknowledged when it is on the disk, and on that of a synchronous standby if there is one. */
const SET_UP = `${Object.entries(SERVER_TIMEOUTS)
  .map(([name, value]) => `set ${name} = ${value};`)
  .join('\n')}
select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') in ('off', 'local', 'remote_write');
select current_setting('transaction_read_only') as read_only`;

const { TEXT, INT4, INT8 } = pg.types.builtins;

/** The types that we store. Integers are numbers: ours are milliseconds and counts. */
const READERS: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [TEXT, (text) => text],
  [INT4, Number],
  [INT8, Number],
]);

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => READERS.get(oid) ?? pg.types.getTypeParser(oid, format),
};

/** What `pg` takes, of which its types do not know the time. */
interface TimedQuery extends pg.QueryArrayConfig<unknown[]> {
  query_timeout: number;
}

/** Connects, with TLS as the address says, to a server that takes writes. Fails with `PostgresError`. */
export async function connectToHost(
  address: PostgresAddress,
  host: PostgresHost,
  timeoutMs: number,
  applicationName = SERVER_NAME,
): Promise<PostgresConnection> {
  const deadline = performance.now() + timeoutMs;
  const client = new pg.Client({
    ...host,
    user: address.user,
    // A function, so that its absence is not made good from the environment.
    password: () => address.password ?? '',
    database: address.database,
    ssl: await readTlsOptions(address.tls),
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER,
    connectionTimeoutMillis: timeoutMs,
    pipeline: true,
    types: TYPES,
  });
  const connection = wrapClient(client, host);
  try {
    await client.connect();
    const { rows } = await connection.query({ text: SET_UP }, deadline);
    if (rows[0]?.['read_only'] === 'off') return connection;
    throw new PostgresError('readonly', 'this server takes no writes');
  } catch (error) {
    connection.end();
    throw readPostgresError(error);
  }
}

function wrapClient(client: pg.Client, host: PostgresHost): PostgresConnection {
  let open = true;
  let lost: PostgresError | undefined;
  let unreplicated: PostgresError | undefined;
  // Without a listener, a lost connection would end the process.
  client.on('error', (error) => {
    open = false;
    lost ??= readPostgresError(error);
  });
  client.on('end', () => {
    open = false;
  });
  // A commit that stopped waiting for the standby is acknowledged all the same, with a warning.
  client.on('notice', ({ routine, message = '' }) => {
    if (routine === 'SyncRepWaitForLSN') unreplicated = new PostgresError('lost', message);
  });
  let gathering = false;
  /** What is asked before the next turn of the event loop is sent together: writing costs more than all else. */
  const gather = (): void => {
    if (gathering) return;
    gathering = true;
    const { stream } = client.connection;
    stream.cork();
    setImmediate(() => {
      gathering = false;
      stream.uncork();
    });
  };
  return {
    host,
    isOpen: () => open,
    async query({ text, values, name }, deadline) {
      const remaining = deadline - performance.now();
      if (remaining <= 0) throw new PostgresError('silent', 'there was no time left to ask');
      try {
        const query: TimedQuery = {
          text,
          rowMode: 'array',
          query_timeout: Math.max(1, remaining),
        };
        if (values !== undefined) query.values = [...values];
        if (name !== undefined) query.name = name;
        gather();
        const result = await client.query(query);
        if (unreplicated === undefined) return nameColumns(result);
        open = false;
        throw unreplicated;
      } catch (error) {
        const read = readPostgresError(error);
        if (read.failure === 'silent') open = false;
        // What a server says as it goes is more telling than that the connection is gone.
        throw read.failure === 'lost' && read.code === undefined ? (lost ?? read) : read;
      }
    },
    end() {
      open = false;
      client.end().catch(() => {});
      // A server that hangs does not hang up, and must not keep this process from ending.
      const { stream } = client.connection;
      if (stream instanceof Socket) stream.unref();
      setTimeout(() => stream.destroy(), END_GRACE).unref();
    },
  };
}

/** Values come as arrays, because objects made here cost less than those that `pg` makes. */
function nameColumns(
  results: pg.QueryArrayResult<unknown[]> | readonly pg.QueryArrayResult<unknown[]>[],
): StatementResult {
  const last = [results].flat().at(-1);
  if (last === undefined) return { command: '', rowCount: null, rows: [] };
  const { command, rowCount, fields, rows } = last;
  const named = rows.map((values) => {
    const row: Record<string, unknown> = {};
    for (const [index, { name }] of fields.entries()) row[name] = values[index];
    return row;
  });
  return { command, rowCount, rows: named };
}

async function readTlsOptions({
  mode,
  rootCertFile,
  certFile,
  keyFile,
}: PostgresAddress['tls']): Promise<ConnectionOptions | false> {
  if (mode === 'disable') return false;
  const readIfAny = async (file: string | undefined) =>
    file === undefined ? undefined : readFile(file, 'utf8');
  const [ca, cert, key] = await Promise.all([rootCertFile, certFile, keyFile].map(readIfAny));
  return {
    rejectUnauthorized: mode !== 'require',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}
