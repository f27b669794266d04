// Several processes on one port and one SQLite file: the real program, reached worker by worker.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { LOGIN_LIMITS } from '../src/domain/login-limits.ts';
import { startProcess } from './support/start-process.ts';
import type { StartedProcess } from './support/start-process.ts';

/** In milliseconds: starting processes is slow on a busy machine. */
const PATIENCE = 60_000;
const WORKERS = 3;
const TOKEN = 'operator-token-of-this-test';

let folder: string;
let server: StartedProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-workers-'));
  server = await start('shared');
}, PATIENCE);
afterAll(async () => {
  await server.end('SIGKILL');
  await rm(folder, { recursive: true });
});

const describeEnvironment = (name: string): Record<string, string> => ({
  CLAIMGATE_DATABASE_URL: `sqlite:${join(folder, name, 'claimgate.db')}`,
  CLAIMGATE_BOOTSTRAP_TOKEN: TOKEN,
  CLAIMGATE_WORKERS: String(WORKERS),
  CLAIMGATE_LOG_LEVEL: 'debug',
});

const start = (name: string): Promise<StartedProcess> => startProcess(describeEnvironment(name));

interface LogLine {
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly requestId?: string;
}

/** Whole lines alone: the last may be on its way. */
function readLog({ readLog: read }: StartedProcess): readonly LogLine[] {
  const lines = read().split('\n').slice(0, -1);
  return lines.map((line): LogLine => JSON.parse(line));
}

const findPids = (from: StartedProcess): readonly number[] =>
  readLog(from).flatMap(({ msg, pid }) => (msg === 'worker started' && pid ? [pid] : []));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One connection, which leads to one worker. */
interface Connection {
  readonly worker: number;
  readonly open: (path: string) => Promise<Answer>;
  readonly call: (rpc: string, body: object, token?: string) => Promise<Answer>;
}

async function connect(to: StartedProcess, name: string): Promise<Connection> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const send = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Answer> => {
    const outgoing = request(`${to.url}${path}`, { agent, method, headers });
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    return { status: response.statusCode, body: await text(response) };
  };
  const call = (rpc: string, body: object, token = TOKEN, id = name): Promise<Answer> => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-request-id': id,
    };
    return send('POST', `/gitpod.v1.${rpc}`, headers, JSON.stringify(body));
  };
  const { status } = await call('IdentityService/GetAuthenticatedIdentity', {});
  expect(status).toBe(200);
  const worker = await expect
    .poll(() => readLog(to).find(({ requestId }) => requestId === name)?.worker)
    .toBeDefined()
    .then(() => readLog(to).find(({ requestId }) => requestId === name)?.worker ?? 0);
  return { worker, open: (path) => send('GET', path, {}), call };
}

let opened = 0;
/** A connection to each worker. */
async function connectToAll(to = server): Promise<readonly Connection[]> {
  const found = new Map<number, Connection>();
  while (found.size < WORKERS) {
    opened += 1;
    const connection = await connect(to, `connection-${opened}`);
    found.set(connection.worker, connection);
  }
  return [...found.values()];
}

const readField = ({ body }: Answer, path: RegExp): string => path.exec(body)?.[1] ?? '';

describe('workers', () => {
  test('share one port: connections go to all of them', async () => {
    const workers = (await connectToAll()).map(({ worker }) => worker);
    expect(workers.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  test('know at once of a token that another has revoked, used or not', async () => {
    const [first, ...others] = await connectToAll();
    if (first === undefined) throw new Error('There is no worker');
    for (const revoker of others) {
      const me = await first.call('UserService/GetAuthenticatedUser', {});
      const userId = readField(me, /"id":"([^"]+)"/);
      const made = await first.call('UserService/CreatePersonalAccessToken', {
        userId,
        description: `revoked by ${revoker.worker}`,
      });
      const token = readField(made, /"token":"([^"]+)"/);
      const all = [first, ...others];
      const use = ({ call }: Connection) =>
        call('IdentityService/GetAuthenticatedIdentity', {}, token);
      for (const connection of all) expect((await use(connection)).status).toBe(200);
      const listed = await revoker.call('UserService/ListPersonalAccessTokens', {
        filter: { userIds: [userId] },
        pagination: { pageSize: 100 },
      });
      const tokens: readonly { id: string; description: string }[] = JSON.parse(
        listed.body,
      ).personalAccessTokens;
      const personalAccessTokenId = tokens.find(
        ({ description }) => description === `revoked by ${revoker.worker}`,
      )?.id;
      const removed = await revoker.call('UserService/DeletePersonalAccessToken', {
        personalAccessTokenId,
      });
      expect(removed.status).toBe(200);
      for (const connection of all) expect((await use(connection)).status).toBe(401);
    }
  });

  test('count a limit together', async () => {
    const connections = await connectToAll();
    const { count } = LOGIN_LIMITS.discoveryByAddress;
    const statuses: number[] = [];
    for (let use = 0; use < count + WORKERS; use += 1) {
      const { status } = await (connections[use % WORKERS] as Connection).open(
        '/login?email=nobody%40example.org',
      );
      statuses.push(status);
    }
    expect(statuses.filter((status) => status === 404)).toHaveLength(count);
    expect(statuses.slice(count)).toEqual(connections.map(() => 429));
  });

  test('write to one file at once, and lose nothing', async () => {
    const connections = await connectToAll();
    const identity = await connections[0]?.call('IdentityService/GetAuthenticatedIdentity', {});
    const organizationId = readField(identity as Answer, /"organizationId":"([^"]+)"/);
    const created = await connections[0]?.call('OrganizationService/CreateSSOConfiguration', {
      organizationId,
      clientId: 'shared',
      clientSecret: 'hush',
      issuerUrl: 'https://idp.example.com',
    });
    const ssoConfigurationId = readField(created as Answer, /"id":"([^"]+)"/);
    const answers = await Promise.all(
      connections.flatMap(({ worker, call }) =>
        Array.from({ length: 20 }, (_, index) =>
          call('OrganizationService/UpdateSSOConfiguration', {
            ssoConfigurationId,
            claims: { [`attribute_${worker}_${index}`]: 'claim' },
          }),
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (const { call } of connections) {
      const { body } = await call('OrganizationService/GetSSOConfiguration', {
        ssoConfigurationId,
      });
      expect(body.match(/attribute_/g)).toHaveLength(WORKERS * 20);
    }
  });
});

describe('a worker that dies', () => {
  test(
    'is replaced, while the others go on',
    async () => {
      const [pid = 0] = findPids(server);
      process.kill(pid, 'SIGKILL');
      const connection = await connect(server, 'after-the-death');
      expect(connection.worker).toBeGreaterThan(1);
      await expect.poll(() => findPids(server), { timeout: PATIENCE }).toHaveLength(WORKERS + 1);
      const workers = (await connectToAll()).map(({ worker }) => worker);
      expect(workers.toSorted((a, b) => a - b)).toEqual([2, 3, 4]);
    },
    PATIENCE,
  );
});

describe('the primary', () => {
  test(
    'ends its workers with it, whether it is asked or killed',
    async () => {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const other = await start(`ended by ${signal}`);
        const pids = findPids(other);
        expect(pids).toHaveLength(WORKERS);
        const { exitCode } = await other.end(signal);
        expect(exitCode).toBe(signal === 'SIGTERM' ? 0 : null);
        await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      }
    },
    PATIENCE,
  );

  test(
    'tells that the port is taken',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      onTestFinished(() => void other.close());
      const { port } = other.address() as AddressInfo;
      const failure = await startProcess({
        ...describeEnvironment('taken'),
        CLAIMGATE_PORT: String(port),
      }).catch((error: unknown) => String(error));
      expect(failure).toMatch(/EADDRINUSE.*set CLAIMGATE_PORT/);
    },
    PATIENCE,
  );
});
