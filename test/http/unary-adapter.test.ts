import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  GetSSOConfigurationRequestSchema,
  OrganizationService,
  SetRoleRequestSchema,
} from '../../gen/gitpod/v1/organization_pb.ts';
import { createUnaryAdapter } from '../../src/http/unary-adapter.ts';
import { answerUnimplemented } from '../../src/http/unary-unimplemented.ts';
import {
  readMaxBytes,
  serve,
  serveOurs,
  servicePath,
  testOptions,
  untilAborted,
} from './unary-service.ts';
import { abandon, flood, stall } from './unary-rude-clients.ts';
import { envelope, openClient, readAnswer } from './unary-wire.ts';
import type { Send, WireAnswer } from './unary-wire.ts';

async function post(
  send: Send,
  rpc: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> {
  return send({
    method: 'POST',
    path: `${servicePath}/${rpc}`,
    headers: { 'content-type': 'application/json', ...headers },
    body: [Buffer.from(body)],
  });
}

describe.for([1, 2] as const)('over HTTP/%i', (version) => {
  const open = async (
    ...options: Parameters<typeof serveOurs> extends [unknown, ...infer O] ? O : never
  ) => openClient(version, await serveOurs(version, ...options));

  const transports = {
    connect: createConnectTransport,
    grpc: createGrpcTransport,
    web: createGrpcWebTransport,
  };

  it.for([
    ['connect', false],
    ['connect', true],
    ['grpc', false],
    ['grpc', true],
    ['web', false],
    ['web', true],
  ] as const)(
    'a %s client (binary: %s) gets messages, headers, trailers, and errors with details',
    async ([name, binary]) => {
      const port = await serveOurs(version);
      // The gRPC client of connect-node needs HTTP/2.
      if (version === 1 && name === 'grpc') return;
      const client = createClient(
        OrganizationService,
        transports[name]({
          httpVersion: version === 1 ? '1.1' : '2',
          baseUrl: `http://127.0.0.1:${port}/api`,
          useBinaryFormat: binary,
        }),
      );
      const seen: Record<string, string | null> = {};
      const { ssoConfiguration } = await client.getSSOConfiguration(
        { ssoConfigurationId: 'é ☃' },
        {
          onHeader: (header) => (seen['header'] = header.get('x-seen')),
          onTrailer: (trailer) => (seen['trailer'] = trailer.get('x-trailer')),
        },
      );
      expect(ssoConfiguration?.id).toBe('é ☃');
      expect(seen).toEqual({
        header: `POST /api${servicePath}/GetSSOConfiguration 0`,
        trailer: 'after',
      });

      const error = await client.setRole({ userId: 'nobody', role: 1 }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ConnectError);
      const { code, rawMessage, metadata } = error as ConnectError;
      expect(code).toBe(Code.FailedPrecondition);
      expect(rawMessage).toBe('no such user: nobody é ☃ %');
      expect(metadata.get('x-meta')).toBe('data');
      expect((error as ConnectError).findDetails(SetRoleRequestSchema)).toMatchObject([
        { userId: 'nobody', role: 1 },
      ]);
    },
  );

  it('an error that is no ConnectError is internal, and its text stays here', async () => {
    const answer = await post(await open(), 'LeaveOrganization', '{}');
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).toBe('{"code":"internal","message":"internal error"}');
  });

  it('answers binary as application/proto, exactly', async () => {
    const answer = await post(await open(), 'DeleteOrganization', '', {
      'content-type': 'application/proto',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/proto');
    expect(answer.headers['content-length']).toBe('0');
  });

  it('takes an empty JSON body for the empty message', async () => {
    expect((await post(await open(), 'DeleteOrganization', '')).body.toString()).toBe('{}');
  });

  it.for([
    ['{"ssoConfigurationId":7}', 'cannot decode field'],
    ['{"ssoConfigurationId":', 'Unexpected end of JSON input'],
    [`{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'nested deeper'],
    [`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'nested deeper'],
    ['['.repeat(60_000), 'nested deeper'],
  ] as const)('malformed JSON is invalid_argument', async ([body, message]) => {
    const answer = await post(await open({ readMaxBytes: 65_536 }), 'GetSSOConfiguration', body);
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(readAnswer(answer)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(message) as string,
    });
  });

  it.for([
    ['connect', 'application/proto', 'invalid_argument'],
    ['grpc', 'application/grpc', '3'],
    ['grpc-web', 'application/grpc-web+proto', '3'],
  ] as const)('malformed binary is invalid_argument in %s', async ([name, type, code]) => {
    const bytes = Buffer.from([0xff]);
    const body = name === 'connect' ? bytes : envelope(0, bytes);
    const answer = await post(await open(), 'GetSSOConfiguration', body, { 'content-type': type });
    expect(readAnswer(answer).code).toBe(code);
  });

  it('an unknown enum is refused by field, a known one is taken', async () => {
    const send = await open();
    const unknown = await post(send, 'ListMembers', '{"sort":{"field":"SORT_FIELD_HEIGHT"}}');
    expect(readAnswer(unknown).message).toBe(
      'sort.field: value must be one of the defined enum values [enum.defined_only]',
    );
    const known = await post(
      send,
      'ListMembers',
      '{"filter":{"roles":["ORGANIZATION_ROLE_ADMIN",2]},"x":1}',
    );
    expect(readAnswer(known).content).toMatchObject({
      members: [{ role: 'ORGANIZATION_ROLE_ADMIN' }, { role: 'ORGANIZATION_ROLE_MEMBER' }],
    });
  });

  it.for([
    ['as it is', (bytes: Buffer) => bytes, {}],
    ['from gzip', gzipSync, { 'content-encoding': 'gzip' }],
    ['from brotli', brotliCompressSync, { 'content-encoding': 'br' }],
  ] as const)(
    'a message over the limit is resource_exhausted, counted %s',
    async ([, pack, headers]) => {
      const body = pack(Buffer.alloc(readMaxBytes + 1, ' '));
      const answer = await post(await open(), 'GetSSOConfiguration', body, headers);
      expect(answer.status).toBe(429);
      expect(readAnswer(answer).code).toBe('resource_exhausted');
    },
  );

  it.for([
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['zstd, br', 'br'],
    ['identity', undefined],
  ] as const)('packs a large answer for a client that accepts %s', async ([accepts, used]) => {
    const send = await open();
    const accept = { 'accept-encoding': accepts };
    const large = await post(send, 'ListSSOConfigurations', '{}', accept);
    expect(large.headers['content-encoding']).toBe(used);
    expect(readAnswer(large).content).toMatchObject({ ssoConfigurations: { length: 20 } });
    const small = await post(send, 'DeleteOrganization', '{}', accept);
    expect(small.headers['content-encoding']).toBeUndefined();
  });

  it('answers a GET, in both formats, packed or not', async () => {
    const send = await open();
    const message = toBinary(
      GetSSOConfigurationRequestSchema,
      create(GetSSOConfigurationRequestSchema, { ssoConfigurationId: 'x' }),
    );
    const queries = [
      'connect=v1&encoding=json&message=%7B%22ssoConfigurationId%22%3A%22x%22%7D',
      `connect=v1&base64=1&encoding=proto&message=${Buffer.from(message).toString('base64url')}`,
      `compression=gzip&base64=1&encoding=proto&message=${gzipSync(message).toString('base64url')}`,
    ];
    for (const query of queries) {
      const path = `/api${servicePath}/GetSSOConfiguration?${query}`;
      const answer = await send({ method: 'GET', path, headers: {}, body: [] });
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toContain('connect GET GetSSOConfiguration');
    }
    const path = `${servicePath}/SetRole?${queries[0] ?? ''}`;
    expect((await send({ method: 'GET', path, headers: {}, body: [] })).status).toBe(405);
  });

  describe('a deadline', () => {
    it.for([
      ['application/json', 'connect-timeout-ms', '20', '{}', 'deadline_exceeded'],
      ['application/grpc+json', 'grpc-timeout', '20m', envelope(0, Buffer.from('{}')), '4'],
      ['application/grpc-web+json', 'grpc-timeout', '20000u', envelope(0, Buffer.from('{}')), '4'],
    ] as const)('that passes is told, in %s', async ([type, header, value, body, code]) => {
      const answer = await post(await open(), 'DeleteOrganization', body, {
        'content-type': type,
        [header]: value,
      });
      expect(readAnswer(answer)).toMatchObject({ code, message: 'the operation timed out' });
    });

    it('of the server holds where the client has none, for handlers that do not watch it too', async () => {
      const routes = deaf();
      const send = await open({ routes: routes.register, defaultTimeoutMs: 20 });
      expect((await post(send, 'GetOrganization', '{}')).status).toBe(504);
      expect(routes.seen.signal?.aborted).toBe(true);
    });

    it('ends a body that does not come', async () => {
      const port = await serveOurs(version, { defaultTimeoutMs: 20 });
      const answer = await stall(version, port, 'DeleteOrganization');
      expect(answer).toContain('deadline_exceeded');
    });

    it('whose answer cannot be sent ends the connection, and nothing else', async () => {
      const { register } = deaf();
      const completeError = ({ metadata }: ConnectError) => metadata.set('x-bad', 'a\nb');
      const port = await serveOurs(version, {
        routes: register,
        defaultTimeoutMs: 20,
        completeError,
      });
      const send = openClient(version, port);
      const answer = await post(send, 'GetOrganization', '{}').catch(() => undefined);
      expect(answer?.status ?? 0).toBe(0);
      expect((await post(openClient(version, port), 'DeleteOrganization', '{}')).status).toBe(200);
    });

    it('that is further away than a timer can be is kept all the same', async () => {
      const send = await open({ maxTimeoutMs: Number.MAX_SAFE_INTEGER });
      const headers = { 'content-type': 'application/grpc+json', 'grpc-timeout': '99999999H' };
      const answer = await post(
        send,
        'GetSSOConfiguration',
        envelope(0, Buffer.from('{}')),
        headers,
      );
      expect(readAnswer(answer).code).toBeUndefined();
    });
  });

  it('asks the gate before the body, answers, and serves on', async () => {
    const port = await serveOurs(version);
    expect(await stall(version, port, 'GetSSOConfiguration', { 'x-refuse': '1' })).toContain(
      'refused',
    );
    const send = openClient(version, port);
    const large = Buffer.alloc(512 * 1024);
    for (let round = 0; round < 5; round++) {
      const answer = await post(send, 'GetSSOConfiguration', large, { 'x-refuse': '1' });
      expect(answer.status).toBe(401);
      expect(answer.headers).toMatchObject({ 'x-gate': 'closed', 'www-authenticate': 'Bearer' });
    }
    expect((await post(send, 'GetSSOConfiguration', '{}')).status).toBe(200);
  });

  it('cuts off a client that goes on sending what was refused', async () => {
    const port = await serveOurs(version);
    await expect(flood(version, port)).resolves.toBeUndefined();
  });

  it('gives the call a signal that ends with it, or with its client', async () => {
    const { register, seen } = deaf();
    const port = await serveOurs(version, { routes: register });
    const gone = abandon(version, port, 'GetOrganization');
    const started = await seen.started.promise;
    gone();
    await expect(untilAborted(started)).rejects.toMatchObject({ code: Code.Canceled });

    const send = openClient(version, port);
    await post(send, 'DeleteOrganization', '{}');
    expect(seen.last?.signal.aborted).toBe(true);
    expect(seen.last?.signal.reason).toMatchObject({ name: 'AbortError' });
  });

  it('runs nothing when the client goes away before its last byte', async () => {
    let ran = 0;
    const register: ReturnType<typeof testOptions>['routes'] = (router) =>
      router.service(OrganizationService, {
        deleteOrganization: () => {
          ran += 1;
          return {};
        },
      });
    const port = await serveOurs(version, { routes: register });
    abandon(version, port, 'DeleteOrganization', 'application/proto', 10)();
    const send = openClient(version, port);
    await post(send, 'DeleteOrganization', '{}');
    await setImmediate();
    expect(ran).toBe(1);
  });

  it('keeps headers that were set before', async () => {
    const handle = createUnaryAdapter(testOptions());
    const port = await serve(version, (request, response) => {
      response.setHeader('x-before', 'kept');
      handle(request, response);
    });
    const answer = await post(openClient(version, port), 'GetSSOConfiguration', '{}');
    expect(answer.headers).toMatchObject({ 'x-before': 'kept', 'x-single': 'absent' });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('answers in gRPC when an error quotes half a surrogate pair', async () => {
    const body = envelope(0, Buffer.from('{"role":"\\ud800"}'));
    const routes: ReturnType<typeof testOptions>['routes'] = (router) =>
      router.service(OrganizationService, {
        setRole: () => {
          throw new ConnectError('half: \ud800', Code.NotFound);
        },
      });
    const headers = { 'content-type': 'application/grpc+json' };
    const answer = await post(await open({ routes }), 'SetRole', body.subarray(0, 0), headers);
    expect(readAnswer(answer).code).toBe('12');
    const full = envelope(0, Buffer.from('{}'));
    expect(readAnswer(await post(await open({ routes }), 'SetRole', full, headers))).toMatchObject({
      code: '5',
      message: 'half: \ufffd',
    });
  });

  it.for(['application/json', 'application/grpc+json', 'application/grpc-web+json'])(
    'has errors completed that nobody else saw, in %s',
    async (type) => {
      const send = await open({
        completeError: ({ code, metadata }) => metadata.set('x-seen', String(code)),
      });
      const body = type === 'application/json' ? '{' : envelope(0, Buffer.from('{'));
      const answer = await post(send, 'GetSSOConfiguration', body, { 'content-type': type });
      const fields = { ...answer.headers, ...answer.trailers, ...readAnswer(answer).trailers };
      expect(fields['x-seen']).toBe(String(Code.InvalidArgument));
    },
  );

  it.for([
    ['application/json', 404, '{"code":"unimplemented","message":"this method is not served"}'],
    ['application/proto', 404, '{"code":"unimplemented","message":"this method is not served"}'],
    ['application/grpc', 200, ''],
    ['application/grpc+json', 200, ''],
  ] as const)(
    'a method that is not served is unimplemented in %s',
    async ([type, status, body]) => {
      const send = await open({ fallback });
      const answer = await send({
        method: 'POST',
        path: '/api/gitpod.v1.RunnerService/ListRunners?token=a',
        headers: { 'content-type': type },
        body: [Buffer.from('{}')],
      });
      expect(answer.status).toBe(status);
      expect(answer.body.toString()).toBe(body);
      if (status === 200) expect(answer.trailers['grpc-status']).toBe('12');
      expect({ ...answer.headers, ...answer.trailers }).toMatchObject({ 'x-seen': '12' });
    },
  );

  it('a method that is not served is unimplemented in gRPC-Web', async () => {
    const answer = await post(await open({ fallback }), 'Nothing', '', {
      'content-type': 'application/grpc-web+proto',
    });
    expect(readAnswer(answer)).toMatchObject({ code: '12', message: 'this method is not served' });
  });

  it.for([
    ['GET', `${servicePath}/Nothing`, 'application/json'],
    ['POST', '/', 'application/json'],
    ['POST', '/login/callback', 'application/json'],
    ['POST', '/x/gitpod.v1.RunnerService/ListRunners', 'application/json'],
    ['POST', '/gitpod.v1.RunnerService/List/Runners', 'application/json'],
    ['POST', '/gitpod.v1.RunnerService/ListRunners', 'text/html'],
  ] as const)(
    'another path, %s %s as %s, is none of its business',
    async ([method, path, type]) => {
      const send = await open({ fallback });
      const headers = { 'content-type': type };
      expect((await send({ method, path, headers, body: [] })).status).toBe(404);
    },
  );
});

it.for([
  ['HTTP/1.1', 'a b', '200 OK'],
  ['HTTP/1.1', '[', '200 OK'],
  ['HTTP/1.0', undefined, '200 OK'],
])('%s with the host %s is served, and the process lives', async ([protocol, host, status]) => {
  const port = await serveOurs(1);
  const body = '{"ssoConfigurationId":"x"}';
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(
    `POST ${servicePath}/GetSSOConfiguration ${protocol}\r\n${host === undefined ? '' : `Host: ${host}\r\n`}` +
      `Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain(`HTTP/1.1 ${status}`);
});

it('unpacks no more than a message and as much again, in however many envelopes', async () => {
  const send = openClient(1, await serveOurs(1));
  const skipped = envelope(0x81, gzipSync(Buffer.alloc(readMaxBytes)));
  const answer = await send({
    method: 'POST',
    path: `${servicePath}/DeleteOrganization`,
    headers: { 'content-type': 'application/grpc-web+json', 'grpc-encoding': 'gzip' },
    body: [skipped, skipped, skipped, envelope(0, Buffer.from('{}'))],
  });
  expect(readAnswer(answer).code).toBe(String(Code.ResourceExhausted));
});

it('reads a body that comes byte by byte no slower for what has come before', async () => {
  const port = await serveOurs(1, { readMaxBytes: 65_536 });
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const bytes = envelope(0, Buffer.from(`{}${' '.repeat(50_000)}`));
  const chunks = Array.from(bytes, (byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('');
  socket.write(
    `POST ${servicePath}/DeleteOrganization HTTP/1.1\r\nHost: x\r\n` +
      'Content-Type: application/grpc-web+json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  // Of a quadratic reading, this would see no end before the test's.
  socket.end(Buffer.from(`${chunks}0\r\n\r\n`, 'latin1'));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
});

it('calls the routes once, so that their state is one', () => {
  let calls = 0;
  createUnaryAdapter({ ...testOptions(), routes: () => (calls += 1) });
  expect(calls).toBe(1);
});

// Help --------------------------------------------------------------------------------------------------------------

const fallback: NonNullable<ReturnType<typeof testOptions>['fallback']> = (request, response) => {
  const complete = ({ code, metadata }: ConnectError) => metadata.set('x-seen', String(code));
  if (answerUnimplemented(request, response, complete)) return;
  response.statusCode = 404;
  response.end();
};

/** A handler that watches nothing, and lets the test watch. */
function deaf() {
  const seen: {
    signal?: AbortSignal;
    last?: HandlerContext;
    readonly started: PromiseWithResolvers<AbortSignal>;
  } = { started: Promise.withResolvers() };
  const register: ReturnType<typeof testOptions>['routes'] = (router) =>
    router.service(OrganizationService, {
      async getOrganization(_request, context) {
        seen.signal = context.signal;
        seen.started.resolve(context.signal);
        await untilAborted(context.signal).catch(() => undefined);
        return {};
      },
      deleteOrganization(_request, context) {
        seen.last = context;
        return {};
      },
    });
  return { register, seen };
}
