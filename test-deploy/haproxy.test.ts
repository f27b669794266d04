// The balancer's configuration in HAProxy itself, in front of two replicas.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { callAsOperator, describeEnvironment, TOKEN } from '../test-faults/server-under-test.ts';
import { startPostgresServer } from '../test/store/postgres-server.ts';
import type { PostgresServer } from '../test/store/postgres-server.ts';
import { createApi } from '../test/support/create-api.ts';
import { startProcess } from '../test/support/start-process.ts';
import type { StartedProcess } from '../test/support/start-process.ts';

const REPLICAS = ['claimgate-1', 'claimgate-2'] as const;

let folder: string;
let postgres: PostgresServer;
let environment: Record<string, string>;
const replicas: StartedProcess[] = [];
let balancer: ReturnType<typeof spawn>;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claimgate-haproxy-'));
  postgres = await startPostgresServer();
  environment = {
    ...describeEnvironment(postgres.createUrl(await postgres.createDatabase())),
    CLAIMGATE_PUBLIC_URL: 'http://localhost:8080',
    CLAIMGATE_TRUSTED_PROXIES: '127.0.0.1',
  };
  for (const _ of REPLICAS) replicas.push(await startProcess(environment));
  const port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, placeHere(port));
  balancer = spawn('haproxy', ['-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await vi.waitFor(assertReady, { timeout: 10_000 });
});
afterAll(async () => {
  balancer.kill('SIGKILL');
  for (const replica of replicas) await replica.end('SIGTERM');
  await postgres.dispose();
  await rm(folder, { recursive: true });
});

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** With the addresses of this machine in place of those of containers. */
function placeHere(port: number): string {
  const config = readFileSync('deploy/haproxy.cfg', 'utf8').replace(
    'bind :8080',
    `http-response set-header answered-by %[be_name]\n    bind 127.0.0.1:${port}`,
  );
  return REPLICAS.reduce((text, name, index) => {
    const { host } = new URL(replicas[index]?.url ?? '');
    return text.replaceAll(`${name}:8080`, host);
  }, config);
}

async function assertReady(): Promise<void> {
  const { status } = await fetch(`${url}/readyz`);
  if (status !== 200) throw new Error(`/readyz answers ${status}`);
}

test('is understood, apart from names that only containers have', () => {
  const { status } = spawnSync('haproxy', ['-c', '-f', 'deploy/haproxy.cfg']);
  expect(status).toBe(0);
});

test('passes on HTTP/1.1 and gRPC, and who has called', async () => {
  const answer = await callAsOperator(url, 'IdentityService/GetAuthenticatedIdentity', {});
  expect(answer.status).toBe(200);
  // Not the one for when none is ready.
  expect(answer.headers.get('answered-by')).toBe('ready');
  const organizationId = String(answer.body['organizationId']);
  const { organizations } = createApi(url, `Bearer ${TOKEN}`, 'grpc');
  expect(await organizations.getOrganization({ organizationId })).toMatchObject({
    organization: { id: organizationId },
  });
  await expect(organizations.getOrganization({ organizationId: 'x' })).rejects.toThrow(
    'invalid_argument',
  );
});

test('gives what a replica that ends does not take to the other one', async () => {
  const backends = new Set<string | null>();
  let failed = 0;
  let answered = 0;
  const stopping = new AbortController();
  const call = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const rpc = 'IdentityService/GetAuthenticatedIdentity';
      const { status, headers } = await callAsOperator(url, rpc, {});
      backends.add(headers.get('answered-by'));
      if (status === 200) answered += 1;
      // A client of ours tries this again.
      else if (status !== 503) failed += 1;
    }
  };
  const calling = Promise.all([call(), call(), call()]);
  for (const [index, replica] of replicas.entries()) {
    const { port } = new URL(replica.url);
    await replica.end('SIGTERM');
    await setTimeout(500);
    replicas[index] = await startProcess({ ...environment, CLAIMGATE_PORT: port });
    await setTimeout(3000);
  }
  stopping.abort();
  await calling;
  expect(failed).toBe(0);
  expect(answered).toBeGreaterThan(100);
  expect(backends).toEqual(new Set(['ready']));
});
