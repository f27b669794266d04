/**
 * Owns our unary path as a program for the benchmark, with nothing on: `unary-adapter-peer.ts <1|2> <response as JSON>`
 * answers GetSSOConfiguration with that response over HTTP/1.1 or HTTP/2, and prints its port.
 */
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { fromJsonString } from '@bufbuild/protobuf';

import {
  GetSSOConfigurationResponseSchema,
  OrganizationService,
} from '../gen/gitpod/v1/organization_pb.ts';
import { createUnaryAdapter } from '../src/http/unary-adapter.ts';
import { readPort } from './read-port.ts';

const [, , version = '1', json = ''] = process.argv;
const message = fromJsonString(GetSSOConfigurationResponseSchema, json);
const handle = createUnaryAdapter({
  routes: (router) => router.service(OrganizationService, { getSSOConfiguration: () => message }),
  jsonOptions: { alwaysEmitImplicit: true },
  readMaxBytes: 64 * 1024,
});
const server = version === '1' ? createServer(handle) : createHttp2Server(handle);
server.listen(0, '127.0.0.1', () => process.stdout.write(`listens at ${readPort(server)}\n`));
process.once('SIGTERM', () => process.exit(0));
