// What a collector receives from the real server: the spans of calls and logins, joined to the caller's trace.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';

import { callJson } from '../support/call-json.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import { startLoginScene } from '../support/start-login-scene.ts';
import type { LoginScene } from '../support/start-login-scene.ts';
import { startOtlpReceiver } from './start-otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from './start-otlp-receiver.ts';

const GET = 'OrganizationService/GetSSOConfiguration';
const UPDATE = 'OrganizationService/UpdateSSOConfiguration';

let receiver: OtlpReceiver;
let scene: LoginScene;

/** The exporter reads the process's own environment. */
function setEnvironment(variables: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return variables;
}

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  const environment = setEnvironment({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=key-of-the-collector',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  scene = await startLoginScene(environment);
});

afterAll(async () => {
  await scene.stop();
  await receiver.stop();
  vi.unstubAllEnvs();
});

/** A caller's trace, sampled. */
function makeTrace() {
  const traceId = randomBytes(16).toString('hex');
  const parentSpanId = randomBytes(8).toString('hex');
  return {
    traceId,
    parentSpanId,
    headers: { traceparent: `00-${traceId}-${parentSpanId}-01`, tracestate: 'vendor=value' },
  };
}

async function waitForSpans(traceId: string, name: string): Promise<readonly ReceivedSpan[]> {
  const find = () => receiver.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => find().map((span) => span.name), { timeout: 10_000 }).toContain(name);
  return find();
}

const call = (rpc: string, body: object, headers: Record<string, string>) =>
  callJson(scene.claimgate.url, rpc, body, { token: scene.claimgate.token, headers });

describe('a call', () => {
  test('is a span of its caller’s trace, and what it asks of the store are its parts', async () => {
    const { traceId, parentSpanId, headers } = makeTrace();
    await call(UPDATE, { ssoConfigurationId: scene.ssoConfigurationId }, headers);
    const spans = await waitForSpans(traceId, `gitpod.v1.${UPDATE}`);
    const served = spans.find(({ name }) => name === `gitpod.v1.${UPDATE}`);
    expect(served).toMatchObject({
      parentSpanId,
      traceState: 'vendor=value',
      kind: 2,
      status: 0,
      resource: {
        'service.name': 'claimgate',
        'deployment.environment.name': 'test',
        'service.version': expect.any(String),
      },
    });
    expect(served?.attributes).toEqual({
      'rpc.system.name': 'connectrpc',
      'rpc.method': `gitpod.v1.${UPDATE}`,
      'rpc.response.status_code': 'ok',
    });
    const parts = spans.filter((span) => span !== served);
    expect(new Set(parts.map(({ parentSpanId }) => parentSpanId))).toEqual(
      new Set([served?.spanId]),
    );
    expect(parts).toContainEqual(
      expect.objectContaining({
        name: 'store transaction',
        kind: 3,
        attributes: { 'db.system.name': 'sqlite', 'db.operation.name': 'transaction' },
      }),
    );
    expect(parts.map(({ name }) => name)).toContain('store findTokenByDigest');
  });

  test('that is refused is a span with its code, and no failure', async () => {
    const { traceId, headers } = makeTrace();
    await call(GET, { ssoConfigurationId: 'none' }, headers);
    const [span] = await waitForSpans(traceId, `gitpod.v1.${GET}`).then((spans) =>
      spans.filter(({ kind }) => kind === 2),
    );
    expect(span).toMatchObject({
      status: 0,
      attributes: { 'rpc.response.status_code': 'invalid_argument' },
    });
  });

  test('without a trace begins one, which the log names', async () => {
    const requestId = `request-${randomBytes(8).toString('hex')}`;
    await call(GET, {}, { 'x-request-id': requestId });
    const line = scene.claimgate
      .readLog()
      .split('\n')
      .find((each) => each.includes(requestId));
    const { traceId } = JSON.parse(line ?? '{}') as { traceId: string };
    const spans = await waitForSpans(traceId, `gitpod.v1.${GET}`);
    expect(spans.find(({ kind }) => kind === 2)?.parentSpanId).toBe('');
  });

  test('of a trace that its caller does not record is not recorded either', async () => {
    const dropped = makeTrace();
    const kept = makeTrace();
    await call(GET, {}, { traceparent: dropped.headers.traceparent.replace(/01$/, '00') });
    await call(GET, {}, kept.headers);
    await waitForSpans(kept.traceId, `gitpod.v1.${GET}`);
    expect(receiver.spans.filter(({ traceId }) => traceId === dropped.traceId)).toEqual([]);
  });
});

describe('a login', () => {
  test('is a span for each of its pages, with the requests to the identity provider', async () => {
    const { traceId, headers } = makeTrace();
    await scene.signIn(headers);
    const spans = await waitForSpans(traceId, 'GET /auth/oidc/callback/{id}');
    const begun = spans.find(({ name }) => name === 'GET /login/{id}');
    const ended = spans.find(({ name }) => name === 'GET /auth/oidc/callback/{id}');
    for (const page of [begun, ended])
      expect(page).toMatchObject({ kind: 2, attributes: { 'http.response.status_code': 303 } });
    expect(begun?.attributes['http.route']).toBe('/login/{id}');
    const requests = spans.filter(({ name }) => name.startsWith('idp '));
    expect(requests).toContainEqual(
      expect.objectContaining({
        name: 'idp token',
        kind: 3,
        parentSpanId: ended?.spanId,
        attributes: { 'claimgate.idp.request': 'token', 'http.response.status_code': 200 },
      }),
    );
    expect(requests.map(({ name }) => name)).toContain('idp userinfo');
  });

  test('whose identity provider hangs up has a failed part', async () => {
    scene.idp.behave({ faults: { token: 'hanging up' } });
    const { traceId, headers } = makeTrace();
    await scene.signIn(headers);
    scene.idp.behave({});
    const spans = await waitForSpans(traceId, 'GET /auth/oidc/callback/{id}');
    expect(spans.find(({ name }) => name === 'idp token')).toMatchObject({
      status: 2,
      attributes: { 'error.type': 'connect_failed' },
    });
  });
});

test('No secret and nothing of a person is in a span', async () => {
  const { traceId, headers } = makeTrace();
  const signedIn = await scene.signIn(headers);
  await waitForSpans(traceId, 'GET /auth/oidc/callback/{id}');
  const query = new URLSearchParams(signedIn.callback.split('?')[1]);
  const sent = receiver.received().toString('latin1');
  const { claimgate, idp, ssoConfigurationId } = scene;
  const personal = [
    claimgate.token,
    idp.clientSecret,
    idp.issuer,
    query.get('code'),
    query.get('state'),
    signedIn.browser.describeCookies().split('=')[1],
    claimgate.organizationId,
    ssoConfigurationId,
    'example.com',
    'alice',
  ];
  expect(personal.every((text) => typeof text === 'string' && text.length > 4)).toBe(true);
  expect(personal.filter((text) => sent.includes(text ?? ''))).toEqual([]);
});

test('The exporter’s own standard variables hold', () => {
  expect(receiver.headers[0]).toMatchObject({ 'x-collector-key': 'key-of-the-collector' });
});

test('What is recorded last is sent before the server ends', async () => {
  const environment = setEnvironment({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
  onTestFinished(() => void setEnvironment({ OTEL_BSP_SCHEDULE_DELAY: '50' }));
  const other = await startClaimgate({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...environment });
  const { traceId, headers } = makeTrace();
  await callJson(other.url, GET, {}, { token: other.token, headers });
  expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  await other.stop();
  expect(receiver.spans.filter((span) => span.traceId === traceId)).not.toEqual([]);
});

test('A collector that refuses is told in the log, and keeps nobody waiting', async () => {
  receiver.answer(400);
  const { headers } = makeTrace();
  const { status } = await call(GET, { ssoConfigurationId: scene.ssoConfigurationId }, headers);
  expect(status).toBe(200);
  await expect
    .poll(() => scene.claimgate.readLog(), { timeout: 10_000 })
    .toContain('"traces not exported"');
  receiver.answer(200);
});
