/**
 * Owns the servers that ours is held against, as a program: `peer-server.ts <peer> <response as JSON>`. Each answers
 * GetSSOConfiguration with that response, checks nothing, and prints its port.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2Server } from 'node:http2';
import { fromBinary, fromJsonString, toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';

import {
  GetSSOConfigurationRequestSchema,
  GetSSOConfigurationResponseSchema,
  OrganizationService,
} from '../gen/gitpod/v1/organization_pb.ts';
import type {
  GetSSOConfigurationRequest,
  GetSSOConfigurationResponse,
} from '../gen/gitpod/v1/organization_pb.ts';
import { readPort } from './read-port.ts';

const [, , peer = '', json = ''] = process.argv;
const message = fromJsonString(GetSSOConfigurationResponseSchema, json);

const routes = (router: ConnectRouter): void => {
  router.service(OrganizationService, { getSSOConfiguration: () => message });
};
/** So that it sends the very bytes that we send. */
const jsonOptions = { alwaysEmitImplicit: true } as const;

const peers: Readonly<Record<string, () => Promise<number>>> = {
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
  'connectNodeAdapter, HTTP/1.1': () =>
    listen(createServer(connectNodeAdapter({ routes, jsonOptions }))),
  'node:http2': () => {
    const body = toBinary(GetSSOConfigurationResponseSchema, message);
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
  '@grpc/grpc-js': serveWithGrpcJs,
};

const start = peers[peer];
if (start === undefined) throw new Error(`No such peer: ${peer}`);
process.stdout.write(`listens at ${await start()}\n`);
process.once('SIGTERM', () => process.exit(0));

async function listen(server: Server | Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return readPort(server);
}

async function serveWithGrpcJs(): Promise<number> {
  const { getSSOConfiguration } = OrganizationService.method;
  const server = new GrpcServer();
  const definition = {
    get: {
      path: `/${getSSOConfiguration.parent.typeName}/${getSSOConfiguration.name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (request: GetSSOConfigurationRequest) =>
        Buffer.from(toBinary(GetSSOConfigurationRequestSchema, request)),
      requestDeserialize: (bytes: Buffer) => fromBinary(GetSSOConfigurationRequestSchema, bytes),
      responseSerialize: (response: GetSSOConfigurationResponse) =>
        Buffer.from(toBinary(GetSSOConfigurationResponseSchema, response)),
      responseDeserialize: (bytes: Buffer) => fromBinary(GetSSOConfigurationResponseSchema, bytes),
    },
  } as const;
  server.addService(definition, {
    get: (
      _call: ServerUnaryCall<GetSSOConfigurationRequest, GetSSOConfigurationResponse>,
      answer: sendUnaryData<GetSSOConfigurationResponse>,
    ) => answer(null, message),
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
