// What Prometheus reads from the real server: that it can read it, and that each metric moves when its thing happens.
import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { LOGIN_LIMITS } from '../../src/domain/login-limits.ts';
import { readDocument } from '../docs/read-examples.ts';
import { startPostgresServer } from '../store/postgres-server.ts';
import { callJson } from '../support/call-json.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';
import { startLoginScene } from '../support/start-login-scene.ts';
import type { LoginScene } from '../support/start-login-scene.ts';
import { parseMetrics } from './parse-metrics.ts';
import type { MetricFamily } from './parse-metrics.ts';

const GET = 'OrganizationService/GetSSOConfiguration';

let scene: LoginScene;

beforeAll(async () => {
  scene = await startLoginScene({ CLAIMGATE_METRICS_PORT: '0' });
});

afterAll(() => scene.stop());

async function scrape(
  { metricsUrl = '' }: Pick<StartedClaimgate, 'metricsUrl'> = scene.claimgate,
): Promise<ReadonlyMap<string, MetricFamily>> {
  const response = await fetch(metricsUrl);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseMetrics(await response.text());
}

/** The sample's value, or the sum of those that have these labels. */
function read(
  families: ReadonlyMap<string, MetricFamily>,
  sample: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const all = [...families.values()].flatMap(({ samples }) => samples);
  return all
    .filter(({ name }) => name === sample)
    .filter((each) => Object.entries(labels).every(([name, value]) => each.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** By how much the sample grows meanwhile. */
async function measure(
  sample: string,
  labels: Readonly<Record<string, string>>,
  act: () => Promise<unknown>,
): Promise<number> {
  const before = read(await scrape(), sample, labels);
  await act();
  return read(await scrape(), sample, labels) - before;
}

const call = (rpc: string, body: object, headers: Record<string, string> = {}) =>
  callJson(scene.claimgate.url, rpc, body, { token: scene.claimgate.token, headers });

describe('a call', () => {
  const calls = 'claimgate_rpc_duration_seconds_count';
  const method = `gitpod.v1.${GET}`;

  test.each<[string, () => Promise<unknown>, Record<string, string>]>([
    ['that succeeds', () => call(GET, scene), { method, code: 'ok' }],
    [
      'that is refused',
      () => call(GET, { ssoConfigurationId: 'x' }),
      { method, code: 'invalid_argument' },
    ],
    [
      'without credentials',
      () => call(GET, {}, { authorization: '' }),
      { method, code: 'unauthenticated' },
    ],
    [
      'of nothing that is served',
      () => call('No/Such', {}),
      { method: 'other', code: 'unimplemented' },
    ],
  ])('%s counts once under its method and code', async (_what, act, labels) => {
    expect(await measure(calls, labels, act)).toBe(1);
  });

  test('of methods that are not served makes one series, however many', async () => {
    const before = countSeries(await scrape());
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => call(`Service${index}/Method${index}`, {})),
    );
    expect(countSeries(await scrape())).toBe(before);
  });
});

function countSeries(families: ReadonlyMap<string, MetricFamily>): number {
  return [...families.values()]
    .filter(({ name }) => name.startsWith('claimgate_'))
    .reduce((sum, { samples }) => sum + samples.length, 0);
}

describe('a login', () => {
  test('that succeeds counts as admitted and as a session', async () => {
    const before = await scrape();
    expect((await scene.signIn()).status).toBe(303);
    const after = await scrape();
    for (const [sample, labels] of [
      ['claimgate_logins_total', { outcome: 'admitted', stage: 'session', reason: 'ok' }],
      ['claimgate_sessions_opened_total', { by: 'login' }],
    ] as const)
      expect(read(after, sample, labels) - read(before, sample, labels)).toBe(1);
  });

  test('that is refused counts by its stage and reason, and not as a session', async () => {
    scene.idp.behave({ signing: 'unsigned' });
    const labels = { outcome: 'refused', stage: 'id_token', reason: 'alg_not_allowed' };
    expect(await measure('claimgate_logins_total', labels, () => scene.signIn())).toBe(1);
    expect(await measure('claimgate_sessions_opened_total', {}, () => scene.signIn())).toBe(0);
    scene.idp.behave({});
  });

  test.each([
    ['token', 'ok', {}],
    ['userinfo', 'ok', {}],
    ['token', 'refused', { tokenError: { status: 400, body: { error: 'invalid_grant' } } }],
    ['token', 'failed', { faults: { token: 'hanging up' } }],
    ['userinfo', 'refused', { faults: { userinfo: 'status 500' } }],
  ] as const)('times the %s request, %s', async (request, outcome, behaviour) => {
    scene.idp.behave(behaviour);
    const sample = 'claimgate_idp_request_duration_seconds_count';
    expect(await measure(sample, { request, outcome }, () => scene.signIn())).toBe(1);
    scene.idp.behave({});
  });

  test('times discovery and keys where they are not remembered', async () => {
    const families = await scrape();
    for (const request of ['discovery', 'jwks'])
      expect(
        read(families, 'claimgate_idp_request_duration_seconds_count', { request }),
      ).toBeGreaterThan(0);
  });
});

test('A session that a token opens counts', async () => {
  const { url, token } = scene.claimgate;
  const headers = { authorization: `Bearer ${token}`, origin: url };
  const act = () => fetch(`${url}/session`, { method: 'POST', headers });
  expect(await measure('claimgate_sessions_opened_total', { by: 'token' }, act)).toBe(1);
});

test('What a rate limit refuses counts under its name', async () => {
  const limit = LOGIN_LIMITS.discoveryByAddress;
  const act = async () => {
    for (let time = 0; time <= limit.count; time += 1)
      await fetch(`${scene.claimgate.url}/login?email=a%40example.org`);
  };
  const labels = { limit: limit.name };
  expect(await measure('claimgate_rate_limit_refusals_total', labels, act)).toBe(1);
});

test.each([
  ['read', () => call(GET, scene)],
  ['write', () => call('OrganizationService/UpdateSSOConfiguration', scene)],
  ['begin', () => call('OrganizationService/UpdateSSOConfiguration', scene)],
  ['commit', () => call('OrganizationService/UpdateSSOConfiguration', scene)],
  ['ping', () => fetch(`${scene.claimgate.url}/readyz`)],
])('The store is timed: %s', async (operation, act) => {
  const labels = { operation, outcome: 'ok' };
  expect(await measure('claimgate_store_duration_seconds_count', labels, act)).toBeGreaterThan(0);
});

test('The process is measured as Prometheus expects it', async () => {
  const families = await scrape();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ])
    expect(read(families, name)).toBeGreaterThan(0);
  expect(read(families, 'claimgate_build_info', { node_version: process.versions.node })).toBe(1);
});

test('The connections to PostgreSQL are measured', async () => {
  const postgres = await startPostgresServer();
  onTestFinished(() => postgres.dispose());
  const claimgate = await startClaimgate({
    CLAIMGATE_DATABASE_URL: postgres.createUrl(await postgres.createDatabase()),
    CLAIMGATE_ENCRYPTION_KEYS: `k:${randomBytes(32).toString('base64')}`,
    CLAIMGATE_METRICS_PORT: '0',
  });
  onTestFinished(() => claimgate.stop());
  const families = await scrape(claimgate);
  expect(read(families, 'claimgate_postgres_connections')).toBeGreaterThan(0);
  expect(read(families, 'claimgate_postgres_connections', { state: 'used' })).toBe(0);
  expect(read(families, 'claimgate_postgres_connections_max')).toBe(10);
  expect(families.has('claimgate_postgres_waiting_transactions')).toBe(true);
  await expectPageToAgree(families);
});

async function expectPageToAgree(families: ReadonlyMap<string, MetricFamily>): Promise<void> {
  const page = await readDocument('docs/observability.md');
  const rows = [...page.matchAll(/^\| `(claimgate_\w+)` +\| (\w+) +\| ([^|]*)\|/gm)];
  const named = rows.map(([, name = '', type, labels = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/\w+/g)].map(([label]) => label),
  }));
  const own = [...families.values()].filter(({ name }) => name.startsWith('claimgate_'));
  expect(new Map(named.map(({ name, type }) => [name, type]))).toEqual(
    new Map(own.map(({ name, type }) => [name, type])),
  );
  const exposed = await scrape();
  for (const { name, labels } of named) {
    const [sample] = exposed.get(name)?.samples ?? [];
    if (sample === undefined) continue;
    const known = Object.keys(sample.labels).filter((label) => label !== 'le');
    expect([name, new Set(known)]).toEqual([name, new Set(labels)]);
  }
}

describe('the metrics’ own port', () => {
  const open = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, scene.claimgate.metricsUrl), init);

  test('serves nothing else, and no method but GET and HEAD', async () => {
    expect((await open('/')).status).toBe(404);
    expect((await open('/gitpod.v1.IdentityService/GetIDToken', { method: 'POST' })).status).toBe(
      404,
    );
    expect((await open('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    const head = await open('/metrics?a=b', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('ends with the server, also while somebody holds a connection', async () => {
    const other = await startClaimgate({ CLAIMGATE_METRICS_PORT: '0' });
    const { port } = new URL(other.metricsUrl ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET /metrics HTTP/1.1\r\n');
    await other.stop();
    await expect(fetch(other.metricsUrl ?? '')).rejects.toThrow('fetch failed');
    socket.destroy();
  });

  test('that is taken keeps the server from starting', async () => {
    const { port } = new URL(scene.claimgate.metricsUrl ?? '');
    await expect(startClaimgate({ CLAIMGATE_METRICS_PORT: port })).rejects.toThrow('EADDRINUSE');
  });
});

test('Without a port for them there are none', async () => {
  const other = await startClaimgate();
  onTestFinished(() => other.stop());
  expect(other.metricsUrl).toBeUndefined();
  expect((await fetch(`${other.url}/metrics`)).status).toBe(404);
});
