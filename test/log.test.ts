// What a line of the log holds, and that no secret gets into one, whichever door it comes through.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createLogger, LOG_FIELDS } from '../src/log.ts';
import { readDocument } from './docs/read-examples.ts';
import { callJson, callRaw } from './support/call-json.ts';
import { startLoginScene } from './support/start-login-scene.ts';
import type { LoginScene } from './support/start-login-scene.ts';

type Line = Readonly<Record<string, unknown>>;

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const GET = 'OrganizationService/GetSSOConfiguration';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

let scene: LoginScene;

beforeAll(async () => {
  scene = await startLoginScene();
});

afterAll(() => scene.stop());

function findLine(requestId: string): Line | undefined {
  return readLines().find((line) => line['requestId'] === requestId);
}

function readLines(): readonly Line[] {
  return scene.claimgate
    .readLog()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line));
}

describe('a call', () => {
  const ask = async (rpc: string, body: unknown, headers: Record<string, string> = {}) => {
    const { url, token } = scene.claimgate;
    const answer = await callJson(url, rpc, body, { token, headers });
    return findLine(answer.headers.get('x-request-id') ?? '');
  };
  const CALL = {
    level: 20,
    time: TIME,
    msg: 'call',
    protocol: 'connect',
    durationMs: expect.any(Number),
  };
  const CALLER = { userId: expect.stringMatching(/^[0-9a-f-]{36}$/), credential: 'token' };

  test('is told with its id, its trace, who called, what, how it ended and how long it took', async () => {
    const { ssoConfigurationId } = scene;
    const line = await ask(
      GET,
      { ssoConfigurationId },
      { 'x-request-id': 'request-of-mine', traceparent: TRACEPARENT },
    );
    expect(line).toEqual({
      ...CALL,
      ...CALLER,
      requestId: 'request-of-mine',
      traceId: TRACE_ID,
      method: `gitpod.v1.${GET}`,
      code: 'ok',
    });
  });

  test.each<[string, unknown, Record<string, string>, object]>([
    [
      'a refusal of ours',
      { ssoConfigurationId: 'none' },
      {},
      { ...CALLER, code: 'invalid_argument' },
    ],
    ['a body that is none', '{', {}, { ...CALLER, code: 'invalid_argument' }],
    ['no credentials', {}, { authorization: '' }, { code: 'unauthenticated' }],
    [
      'a deadline that has passed',
      {},
      { 'connect-timeout-ms': '0' },
      { code: 'deadline_exceeded' },
    ],
  ])('that ends with %s is told once, with its code', async (_what, body, headers, end) => {
    const requestId = `request-${randomBytes(8).toString('hex')}`;
    await ask(GET, body, { 'x-request-id': requestId, ...headers });
    const lines = readLines().filter((line) => line['requestId'] === requestId);
    expect(lines).toMatchObject([{ ...CALL, method: `gitpod.v1.${GET}`, ...end }]);
  });

  test('of what is not served is told without its name', async () => {
    const line = await ask('NoService/NoMethod', {});
    expect(line).toEqual({
      ...CALL,
      requestId: expect.any(String),
      code: 'unimplemented',
    });
  });

  test.each([
    ['too short', 'short'],
    ['too long', 'x'.repeat(65)],
    ['of other characters', 'two words of mine'],
  ])('with an id that is %s is given another', async (_what, requestId) => {
    await ask(GET, {}, { 'x-request-id': requestId });
    expect(findLine(requestId)).toBeUndefined();
  });

  test.each([
    ['of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['of a forbidden version', TRACEPARENT.replace('00-', 'ff-')],
    ['with more than its version has', `${TRACEPARENT}-more`],
    ['in capitals', TRACEPARENT.toUpperCase()],
    ['that is anything', 'canary'],
  ])('with a trace %s has none', async (_what, traceparent) => {
    expect(await ask(GET, {}, { traceparent })).not.toHaveProperty('traceId');
  });

  test('of a version to come keeps its trace', async () => {
    const traceparent = `${TRACEPARENT.replace('00-', 'cc-')}-more`;
    expect(await ask(GET, {}, { traceparent })).toHaveProperty('traceId', TRACE_ID);
  });
});

describe('a login', () => {
  const END = { time: TIME, level: 30, route: '/auth/oidc/callback/{id}' };

  test('that succeeds is told with its configuration', async () => {
    await scene.signIn({ 'x-request-id': 'login-that-succeeds', traceparent: TRACEPARENT });
    expect(findLine('login-that-succeeds')).toEqual({
      ...END,
      msg: 'session opened',
      requestId: 'login-that-succeeds',
      traceId: TRACE_ID,
      outcome: 'admitted',
      code: 'ok',
      stage: 'session',
      ssoConfigurationId: scene.ssoConfigurationId,
    });
  });

  test('that is refused is told with its stage, its reason and its attempt', async () => {
    scene.idp.behave({ signing: 'unsigned' });
    await scene.signIn({ 'x-request-id': 'login-that-fails' });
    scene.idp.behave({});
    expect(findLine('login-that-fails')).toEqual({
      ...END,
      msg: 'login refused',
      requestId: 'login-that-fails',
      outcome: 'refused',
      code: 'alg_not_allowed',
      stage: 'id_token',
      ssoConfigurationId: scene.ssoConfigurationId,
      attemptId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });
});

test('The logger leaves out whatever is no field, and of an error all but its text', () => {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line) => void lines.push(line) });
  const error = Object.assign(new Error('it broke'), {
    code: 'E_BROKE',
    rawPacket: Buffer.from('canary'),
    headers: { authorization: 'canary' },
    cause: Object.assign(new Error('because'), { body: 'canary' }),
  });
  logger.error({ err: error, password: 'canary', code: { deep: 'canary' }, method: 'm' }, 'text');
  logger.error(error);
  logger.error({ err: { canary: 'canary' } });
  logger.info({ detail: 'x'.repeat(10_000) });
  expect(lines.join('')).not.toContain('canary');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 50,
    time: TIME,
    msg: 'text',
    method: 'm',
    err: {
      name: 'Error',
      code: 'E_BROKE',
      message: 'it broke',
      stack: expect.any(String),
      cause: { name: 'Error', message: 'because', stack: expect.any(String) },
    },
  });
  expect(lines[3]?.length).toBeLessThan(5_000);
});

test('The page explains every field, and no other', async () => {
  const page = await readDocument('docs/observability.md');
  const [, table = ''] = /## Logs\n([^]*?)\n## /.exec(page) ?? [];
  const named = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set([...LOG_FIELDS, 'err', 'level', 'msg', 'time']));
});

test('No secret is in the log, whichever door it comes through', async () => {
  const { url, token } = scene.claimgate;
  const secrets: string[] = [];
  const canary = () => {
    const secret = `canary-${randomBytes(16).toString('hex')}`;
    secrets.push(secret);
    return secret;
  };
  const call = (body: unknown, headers: Record<string, string> = {}, query = '') =>
    callRaw(url, `${GET}${query}`, typeof body === 'string' ? body : JSON.stringify(body), {
      token,
      headers,
    });
  await call({}, { authorization: `Bearer ${canary()}` });
  await call({}, { authorization: `Basic ${canary()}` });
  await call({}, { authorization: '', cookie: `claimgate-session=${canary()}; other=${canary()}` });
  await call({ clientSecret: canary(), ssoConfigurationId: canary() });
  await call(`{"clientSecret":"${canary()}`);
  await call({}, { 'content-type': canary() });
  await call({}, { 'content-encoding': canary() });
  await call({}, { 'connect-timeout-ms': canary() });
  await call({}, { tracestate: `a=${canary()}`, baggage: `a=${canary()}`, traceparent: canary() });
  await call({}, { 'x-request-id': `not an id ${canary()}` });
  await call({}, {}, `?token=${canary()}`);
  await callRaw(url, `No.Service${canary().replaceAll('-', '_')}/Method`, '{}', {});
  const get = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { redirect: 'manual', ...init });
  await get(`/${canary()}?a=${canary()}`);
  await get(`/login?email=${canary()}@example.com&return_to=${canary()}`);
  await get(`/login/${canary()}?return_to=https://${canary()}.example`);
  await get(`/login/test/${'x'.repeat(43)}?a=${canary()}`);
  const { organizationId } = scene.claimgate;
  const callback = `/auth/oidc/callback/${organizationId}`;
  for (const name of ['code', 'state', 'id_token', 'access_token', 'error', 'error_description'])
    await get(`${callback}?state=s&${name}=${canary()}`);
  await get(`${callback}?state=${canary()}`, {
    headers: { cookie: `claimgate-login=${canary()}` },
  });
  await get('/session', { headers: { cookie: `claimgate-session=cgses_${canary()}` } });
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  await get('/logout', { ...form, body: `return_to=${canary()}` });
  await get('/session', { method: 'POST', headers: { authorization: `Bearer ${canary()}` } });
  for (const bytes of [
    `GET /${canary()}\r\n\r\n`,
    `POST / HTTP/1.1\r\nAuthorization ${canary()}\r\n\r\n`,
  ])
    await sendRaw(Number(new URL(url).port), bytes);
  // A login from its start to its end, with what the identity provider issues.
  const signedIn = await scene.signIn();
  secrets.push(scene.idp.clientSecret, signedIn.browser.describeCookies().split('=')[1] ?? '');
  for (const name of ['code', 'state'])
    secrets.push(new URLSearchParams(signedIn.callback.split('?')[1]).get(name) ?? '');
  scene.idp.behave({
    tokenError: { status: 400, body: { error: canary(), error_description: canary() } },
  });
  await scene.signIn();
  scene.idp.behave({});

  expect(secrets.every((secret) => secret.length >= 16)).toBe(true);
  const log = scene.claimgate.readLog();
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  expect(log).toContain('login refused');
});

async function sendRaw(port: number, bytes: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume().end(bytes);
  await once(socket, 'close');
}
