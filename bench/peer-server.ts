/**
 * Owns the servers that ours is held against, as a program: `peer-server.ts <peer> <method> <file>`. Each answers that
 * method of OrganizationService with the response in the file, in JSON; it checks nothing, and prints its port.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2Server } from 'node:http2';
import { fromBinary, fromJsonString, toBinary } from '@bufbuild/protobuf';
import type { JsonValue, Message } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData } from '@grpc/grpc-js';
import { fastify } from 'fastify';

import { OrganizationService } from '../gen/gitpod/v1/organization_pb.ts';
import { createUnaryAdapter } from '../src/http/unary-adapter.ts';
import { findMethod, isBenchMethod } from './bench-call.ts';
import { describeJson } from './describe-json.ts';
import type { PeerName } from './peers.ts';
import { readPort } from './read-port.ts';

const [, , peer = '', methodName = '', file = ''] = process.argv;
const json = readFileSync(file, 'utf8');
if (!isBenchMethod(methodName)) throw new Error(`No such method: ${methodName}`);
const method = findMethod(methodName);
const path = `/${method.parent.typeName}/${method.name}`;
const message = fromJsonString(method.output, json);

const routes = (router: ConnectRouter): void => {
  router.service(OrganizationService, { [method.localName]: () => message });
};
/** So that they send the very bytes that we send. */
const jsonOptions = { alwaysEmitImplicit: true } as const;
const ownPath = { routes, jsonOptions, readMaxBytes: 64 * 1024 };

const peers: Readonly<Record<PeerName, () => Promise<number>>> = {
  'node:http': () => {
    const body = Buffer.from(json);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    return listen(
      createServer((request, response) => {
        request.resume();
        response.writeHead(200, headers);
        response.end(body);
      }),
    );
  },
  Fastify: async () => {
    const answer: JsonValue = JSON.parse(json);
    const server = fastify();
    const schema = { response: { 200: describeJson(answer) } };
    server.post(path, { schema }, async () => answer);
    await server.listen({ host: '127.0.0.1', port: 0 });
    return readPort(server.server);
  },
  'connectNodeAdapter, HTTP/1.1': () =>
    listen(createServer(connectNodeAdapter({ routes, jsonOptions }))),
  'our unary path, HTTP/1.1': () => listen(createServer(createUnaryAdapter(ownPath))),
  'node:http2': () => {
    const body = toBinary(method.output, message);
    const envelope = Buffer.concat([Buffer.alloc(5), body]);
    envelope.writeUInt32BE(body.length, 1);
    const headers = { ':status': 200, 'content-type': 'application/grpc' };
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      stream.resume();
      // The load ends by hanging up.
      stream.once('error', () => {});
      stream.respond(headers, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(envelope);
    });
    return listen(server);
  },
  'connectNodeAdapter, HTTP/2': () => listen(createHttp2Server(connectNodeAdapter({ routes }))),
  'our unary path, HTTP/2': () => listen(createHttp2Server(createUnaryAdapter(ownPath))),
  '@grpc/grpc-js': serveWithGrpcJs,
};

const start = Object.entries(peers).find(([name]) => name === peer)?.[1];
if (start === undefined) throw new Error(`No such peer: ${peer}`);
process.stdout.write(`listens at ${await start()}\n`);
process.once('SIGTERM', () => process.exit(0));

async function listen(server: Server | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return readPort(server);
}

async function serveWithGrpcJs(): Promise<number> {
  const { input, output } = method;
  const server = new GrpcServer();
  const definition = {
    call: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (request: Message) => Buffer.from(toBinary(input, request)),
      requestDeserialize: (bytes: Buffer): Message => fromBinary(input, bytes),
      responseSerialize: (response: Message) => Buffer.from(toBinary(output, response)),
      responseDeserialize: (bytes: Buffer): Message => fromBinary(output, bytes),
    },
  } as const;
  server.addService(definition, {
    call: (_call: unknown, answer: sendUnaryData<Message>) => answer(null, message),
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
