import { connect } from 'node:net';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { DescService } from '@bufbuild/protobuf';
import {
  EmptySchema,
  FieldDescriptorProto_Type as Type,
  file_google_protobuf_empty,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import type { Interceptor } from '@connectrpc/connect';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readMaxBytes, registerRoutes, serveOurs, servicePath } from './unary-service.ts';
import { envelope, openClient, readAnswer } from './unary-wire.ts';

describe.for([1, 2] as const)('over HTTP/%i', (version) => {
  const open = async () =>
    openClient(
      version,
      await serveOurs(version, {
        routes(router) {
          registerRoutes(router);
          router.service(counting, { count: countTo3 } as never);
        },
      }),
    );

  it('hands a method that streams to connect-es, under every prefix', async () => {
    const send = await open();
    for (const prefix of ['', '/api']) {
      const answer = await send({
        method: 'POST',
        path: `${prefix}/test.Counting/Count`,
        headers: { 'content-type': 'application/grpc' },
        body: [envelope(0, Buffer.alloc(0))],
      });
      expect(answer.trailers['grpc-status']).toBe('0');
      expect(answer.body.length).toBe(3 * 5);
    }
  });

  // More than the 64 KiB that HTTP/2 sends unasked, so that somebody has to read.
  it.for([100, 500_000])(
    'a stream refused before its last %i bytes leaves the connection to the next call',
    async (rest) => {
      const send = await open();
      const refused = await send({
        method: 'POST',
        path: '/test.Counting/Count',
        headers: { 'content-type': 'application/connect+json' },
        body: [envelope(0, Buffer.alloc(readMaxBytes + 1)), Buffer.alloc(rest)],
      });
      expect(refused.body.toString()).toContain('"resource_exhausted"');
      const next = await send({
        method: 'POST',
        path: `${servicePath}/GetOrganization`,
        headers: { 'content-type': 'application/json' },
        body: [Buffer.from('{}')],
      });
      expect(readAnswer(next).code).toBe(undefined);
    },
  );

  it('takes a message that comes byte by byte', async () => {
    const send = await open();
    const bytes = envelope(0, Buffer.from(`{}${' '.repeat(readMaxBytes - 2)}`));
    const answer = await send({
      method: 'POST',
      path: '/test.Counting/Count',
      headers: { 'content-type': 'application/connect+json' },
      body: Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
    });
    expect(answer.body.toString()).toContain('{}');
    expect(answer.body.toString()).not.toContain('error');
  });
});

it('a client that goes away within its message has ended the call, which is no failure', async () => {
  const { promise: failure, resolve } = Promise.withResolvers<unknown>();
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  const watch: Interceptor = (next) => (request) => {
    start();
    const answer = next(request);
    answer.catch(resolve);
    return answer;
  };
  const port = await serveOurs(1, {
    routes: (router) => router.service(counting, { count: countTo3 } as never),
    interceptors: [watch],
  });
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(
    'POST /test.Counting/Count HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web\r\n' +
      'Content-Length: 100\r\n\r\n\0\0\0',
  );
  await started;
  socket.destroy();
  expect(await failure).toMatchObject({ code: Code.Canceled });
});

// Help --------------------------------------------------------------------------------------------------------------

async function* countTo3() {
  for (let index = 0; index < 3; index++) yield await Promise.resolve({});
}

const counting = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'counting.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['google/protobuf/empty.proto'],
    messageType: [{ name: 'Unused', field: [{ name: 'x', number: 1, type: Type.STRING }] }],
    service: [
      {
        name: 'Counting',
        method: [
          {
            name: 'Count',
            inputType: `.${EmptySchema.typeName}`,
            outputType: `.${EmptySchema.typeName}`,
            serverStreaming: true,
          },
        ],
      },
    ],
  }),
  () => file_google_protobuf_empty,
).getService('test.Counting') as DescService;
