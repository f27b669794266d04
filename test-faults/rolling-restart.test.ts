// Three replicas behind a balancer, restarted one after another while clients call without pause: a client that tries
// `unavailable` again, as every client of gRPC and Connect may, has no call that fails.
import { setTimeout } from 'node:timers/promises';

import { Code, ConnectError } from '@connectrpc/connect';
import { expect, onTestFinished, test } from 'vitest';

import { startPostgresServer } from '../test/store/postgres-server.ts';
import { createApi } from '../test/support/create-api.ts';
import type { JsonAnswer } from '../test/support/call-json.ts';
import { startProcess } from '../test/support/start-process.ts';
import type { StartedProcess } from '../test/support/start-process.ts';
import { startBalancer } from './round-robin-balancer.ts';
import { callAsOperator, describeEnvironment, TOKEN } from './server-under-test.ts';
import { expectNothingLost, readStoredNames, startWriteLoad } from './write-load.ts';

const REPLICAS = 3;
/** After how many attempts a call counts as failed. */
const ATTEMPTS = 5;

test('A rolling restart under constant load fails no call', async () => {
  const postgres = await startPostgresServer();
  onTestFinished(() => postgres.dispose());
  const environment = {
    ...describeEnvironment(postgres.createUrl(await postgres.createDatabase())),
    CLAIMGATE_PUBLIC_URL: 'http://localhost:8080',
  };
  const start = (port: number): Promise<StartedProcess> =>
    startProcess({ ...environment, CLAIMGATE_PORT: String(port) });
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => start(0)));
  onTestFinished(async () => {
    for (const replica of replicas) await replica.end('SIGKILL');
  });
  const ports = replicas.map(({ url }) => Number(new URL(url).port));
  const balancer = await startBalancer(ports);
  onTestFinished(() => balancer.close());

  const call = async (rpc: string, body: object): Promise<JsonAnswer> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await callAsOperator(balancer.url, rpc, body);
      if (answer.status !== 503 || attempt === ATTEMPTS) return answer;
      await setTimeout(Number(answer.headers.get('retry-after-ms')));
    }
  };
  const send = async (rpc: string, body: object): Promise<JsonAnswer> => {
    const answer = await call(rpc, body);
    expect([rpc, answer.status, answer.text]).toEqual([rpc, 200, expect.anything()]);
    return answer;
  };
  const identity = await send('IdentityService/GetAuthenticatedIdentity', {});
  const organizationId = String(identity.body['organizationId']);
  const load = startWriteLoad({ clients: 6, organizationId, send });

  const stopping = new AbortController();
  let read = 0;
  /** On one HTTP/2 connection for all calls. */
  const readOverGrpc = async (): Promise<void> => {
    const { organizations } = createApi(balancer.url, `Bearer ${TOKEN}`, 'grpc');
    let attempt = 1;
    while (!stopping.signal.aborted) {
      try {
        await organizations.getOrganization({ organizationId });
        read += 1;
        attempt = 1;
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Unavailable || attempt === ATTEMPTS) throw error;
        attempt += 1;
        await setTimeout(100);
      }
    }
  };
  const reading = Promise.all([readOverGrpc(), readOverGrpc()]);

  for (const [index, port] of ports.entries()) {
    await load.reach(100);
    const ended = await replicas[index]?.end('SIGTERM');
    expect(ended).toMatchObject({ exitCode: 0, log: '' });
    await load.reach(50);
    replicas[index] = await start(port);
  }
  await load.reach(100);
  stopping.abort();
  await Promise.all([load.stop(), reading]);
  expect(load.ledger.refused).toBe(0);
  expect(read).toBeGreaterThan(100);
  expectNothingLost(load.ledger, await readStoredNames({ organizationId, call }));
  for (const count of balancer.counts) expect(count).toBeGreaterThan(0);
});
