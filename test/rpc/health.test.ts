// grpc.health.v1, as load balancers and gRPC's own clients ask it, of the real server.
import { Code, createClient, createRouterTransport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { IdentityService } from '../../gen/gitpod/v1/identity_pb.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { createHealthService } from '../../src/rpc/health-service.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { TRANSPORTS } from './transports.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

describe.each(Object.entries(TRANSPORTS))(
  'by %s, without a token',
  (_protocol, createTransport) => {
    const open = () =>
      createClient(
        Health,
        createTransport({ baseUrl: claimgate.url, useBinaryFormat: true, interceptors: [] }),
      );

    test.each(['', 'gitpod.v1.OrganizationService', 'claimgate.v1.MemberService'])(
      'the service "%s" is served',
      async (service) => {
        expect((await open().check({ service })).status).toBe(Status.SERVING);
      },
    );

    test('a service that is not there is not found', async () => {
      await expect(open().check({ service: 'no.Such' })).rejects.toMatchObject({
        code: Code.NotFound,
      });
    });

    test('the list names the server and each service', async () => {
      const { statuses } = await open().list({});
      expect(Object.keys(statuses)).toContain('');
      expect(statuses['gitpod.v1.UserService']?.status).toBe(Status.SERVING);
    });

    test('a watch begins with what is, also for what is not there', async () => {
      for (const [service, status] of [
        ['', Status.SERVING],
        ['no.Such', Status.SERVICE_UNKNOWN],
      ] as const) {
        const ended = new AbortController();
        const watch = open().watch({ service }, { signal: ended.signal });
        const first = await watch[Symbol.asyncIterator]().next();
        expect(first).toMatchObject({ value: { status } });
        ended.abort();
      }
    });
  },
);

test('a watch is told when the server drains, and ends so that it can', async () => {
  const other = await startClaimgate();
  const client = createClient(Health, createGrpcTransport({ baseUrl: other.url }));
  const seen: Status[] = [];
  let stopped: Promise<void> | undefined;
  for await (const { status } of client.watch({})) {
    seen.push(status);
    stopped ??= other.stop();
  }
  await stopped;
  expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
});

describe('without a store', () => {
  function openBroken() {
    const store = { broken: true };
    const never = new AbortController().signal;
    const service = createHealthService(
      {
        checkReadiness: async () => {
          if (store.broken) throw new Error('no store');
        },
        draining: () => never,
      },
      [IdentityService],
    );
    const transport = createRouterTransport((router) => void router.service(Health, service));
    return { store, client: createClient(Health, transport) };
  }

  test('nothing is served, and nobody is told why', async () => {
    const { client } = openBroken();
    expect((await client.check({})).status).toBe(Status.NOT_SERVING);
    const { statuses } = await client.list({});
    expect(statuses[IdentityService.typeName]?.status).toBe(Status.NOT_SERVING);
  });

  test('a watch is told when the store is back', async () => {
    const { client, store } = openBroken();
    const seen: Status[] = [];
    for await (const { status } of client.watch({})) {
      seen.push(status);
      if (!store.broken) break;
      store.broken = false;
    }
    expect(seen).toEqual([Status.NOT_SERVING, Status.SERVING]);
  });
});

test('a watch too many is refused, and one that ends makes room', async () => {
  const never = new AbortController().signal;
  const service = createHealthService(
    { checkReadiness: async () => undefined, draining: () => never },
    [],
  );
  const transport = createRouterTransport((router) => void router.service(Health, service));
  const client = createClient(Health, transport);
  const ended = new AbortController();
  const open = async () => {
    const watch = client.watch({}, { signal: ended.signal })[Symbol.asyncIterator]();
    await watch.next();
    return watch;
  };
  const watches = await Promise.all(Array.from({ length: 1000 }, open));
  await expect(open()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  ended.abort();
  await Promise.allSettled(watches.map((watch) => watch.next()));
  await expect
    .poll(async () => {
      const watch = client.watch({})[Symbol.asyncIterator]();
      const first = await watch.next().catch(() => undefined);
      await watch.return?.();
      return first?.value;
    })
    .toMatchObject({ status: Status.SERVING });
});
