// Small requests that would make large answers or much work, through the real server.
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { setGrpcStatus } from '../../src/http/grpc-status.ts';
import { createApi } from '../support/create-api.ts';
import { startClaimgate } from '../support/start-claimgate.ts';
import type { StartedClaimgate } from '../support/start-claimgate.ts';

let claimgate: StartedClaimgate;

beforeAll(async () => {
  claimgate = await startClaimgate();
});

afterAll(() => claimgate.stop());

async function call(
  method: string,
  body: object,
  compress = false,
): Promise<{ status: number; text: string }> {
  const json = JSON.stringify({ organizationId: claimgate.organizationId, ...body });
  const response = await fetch(`${claimgate.url}/gitpod.v1.OrganizationService/${method}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${claimgate.token}`,
      ...(compress && { 'content-encoding': 'gzip' }),
    },
    body: compress ? gzipSync(json) : json,
  });
  return { status: response.status, text: await response.text() };
}

const EMPTY = Array.from({ length: 20_000 }, () => '');

describe('a request with thousands of wrong values', () => {
  test.each([
    ['ListMembers', { filter: { userIds: EMPTY } }],
    ['UpdateOrganization', { inviteDomains: { domains: EMPTY } }],
    [
      'CreateSSOConfiguration',
      { clientId: 'a', clientSecret: 'b', issuerUrl: 'https://a.example', emailDomains: EMPTY },
    ],
  ])('to %s is told of the first of them', async (method, body) => {
    for (const compress of [false, true]) {
      const { status, text } = await call(method, body, compress);
      expect(status).toBe(400);
      expect(text.length).toBeLessThan(20_000);
      expect(JSON.parse(text)).toMatchObject({ code: 'invalid_argument' });
    }
  });

  test('gets an answer in gRPC whose trailers its clients take, of which some take 8 KiB', async () => {
    const { organizations } = createApi(claimgate.url, `Bearer ${claimgate.token}`, 'grpc');
    const call = organizations.listMembers({
      organizationId: claimgate.organizationId,
      filter: { userIds: EMPTY.slice(0, 15_000) },
    });
    const error = await call.then(
      () => expect.unreachable(),
      (reason: unknown) => ConnectError.from(reason),
    );
    expect(error.details.length).toBeGreaterThan(2);
    const trailers = [...setGrpcStatus(new Headers(error.metadata), error)];
    const size = trailers.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    expect(size).toBeLessThan(8192);
  });

  test('that only the domain knows to be wrong is told of the first of them', async () => {
    const emailDomains = Array.from({ length: 2000 }, (_, index) => `d${index}.example`);
    const create = { clientId: 'a', clientSecret: 'b', issuerUrl: 'https://a.example' };
    const { status, text } = await call('CreateSSOConfiguration', { ...create, emailDomains });
    expect(status).toBe(400);
    expect(text).toContain('at most 100');
    expect(text.length).toBeLessThan(2000);
  });
});

test('thousands of statuses and roles are as good as each once', async () => {
  const statuses = Array.from({ length: 2000 }, () => 'USER_STATUS_ACTIVE');
  const roles = Array.from({ length: 500 }, () => 'ORGANIZATION_ROLE_ADMIN');
  const { status, text } = await call('ListMembers', { filter: { statuses, roles } });
  expect(status).toBe(200);
  expect(JSON.parse(text).members).toHaveLength(1);
});

test('patterns that are dear together are refused, however cheap each is', async () => {
  const pattern = '(?i)[a-\u{3000}]';
  const terms = Array.from({ length: 100 }, (_, i) => `"".matches("${pattern}${i}")`);
  const { status, text } = await call('CreateSSOConfiguration', {
    clientId: 'bomb',
    clientSecret: 'b',
    issuerUrl: 'https://a.example',
    claimsExpression: terms.join('||'),
  });
  expect(status).toBe(400);
  expect(text).toContain('too costly together');
});

test('the log holds no credentials of a request that is no HTTP', async () => {
  const { port } = new URL(claimgate.url);
  const secret = 'canary-in-a-broken-request';
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.end(`GET / HTTP/1.1\r\nAuthorization: Bearer ${secret}\r\nbroken header\r\n\r\n`);
    });
    socket.resume().on('close', () => resolve());
    socket.on('error', reject);
  });
  const log = claimgate.readLog();
  expect(log).toContain('"place":"client"');
  expect(log).not.toContain(secret);
  // Node hands over the packet as bytes.
  expect(log).not.toContain([...Buffer.from(secret)].join(','));
  expect(log).not.toContain('rawPacket');
});

test('a form that is cut off is nobody’s failing', async () => {
  const { port } = new URL(claimgate.url);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(
        'POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\na=b',
      );
      setTimeout(() => socket.destroy(), 100);
    });
    socket.on('close', () => setTimeout(resolve, 100));
  });
  expect(claimgate.readLog()).not.toContain('"place":"handle"');
});
