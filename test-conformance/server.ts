/**
 * Owns the process under test: the listener, the request handler and the RPC endpoint that serve Claimgate, with their
 * limits, and the runner's service instead of ours. The runner says on the standard input what it wants, and reads on
 * the standard output where to find it, each as one message with its length in front.
 */
import { once } from 'node:events';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';

import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from '../.generate/conformance/gen/connectrpc/conformance/v1/server_compat_pb.ts';
import { ConformanceService } from '../.generate/conformance/gen/connectrpc/conformance/v1/service_pb.ts';
import { startListener } from '../src/http/listener.ts';
import { createRequestHandler } from '../src/http/request-handler.ts';
import { createRpcEndpoint } from '../src/http/rpc-endpoint.ts';
import { createRequestCheck } from '../src/rpc/interceptor.ts';
import { callLimits, jsonOptions } from '../src/rpc/routes.ts';
import { conformanceService, registry } from './conformance-service.ts';

const host = '127.0.0.1';

const request = fromBinary(ServerCompatRequestSchema, await readMessage());
const tls = request.useTls ? request.serverCreds : undefined;

const handleRpc = createRpcEndpoint(
  {
    ...callLimits,
    // The runner sends up to 200 KiB where it names a limit of its own.
    ...(request.messageReceiveLimit > 0 && { readMaxBytes: request.messageReceiveLimit }),
    jsonOptions: { ...jsonOptions, registry },
    // Ours, but for the one that hides the text of `internal` and `unknown` errors, which the runner wants to see.
    interceptors: [createRequestCheck(createValidator({ registry }))],
    // No `completeError`: the runner compares the details of errors, and would take ours for too many.
    endlessPaths: [],
    routes: (router) => router.service(ConformanceService, conformanceService),
  },
  [],
);

const listener = await startListener({
  host,
  port: 0,
  tls: tls && { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) },
  handle: createRequestHandler({
    handleRpc,
    handleLogin: () => undefined,
    console: undefined,
    allowedOrigins: [],
    checkReadiness: async () => undefined,
    noteUnready: () => undefined,
    isDraining: () => false,
    documents: new Map(),
  }),
  onError: (error, place) => {
    if (place !== 'client') process.stderr.write(`${place}: ${String(error)}\n`);
  },
});

writeMessage(
  toBinary(
    ServerCompatResponseSchema,
    create(ServerCompatResponseSchema, {
      host,
      port: listener.port,
      pemCert: tls?.cert ?? new Uint8Array(),
    }),
  ),
);

await once(process, 'SIGTERM');
await listener.close({ drainMs: 1000 });
process.exit(0);

async function readMessage(): Promise<Uint8Array> {
  let read = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    read = Buffer.concat([read, Buffer.from(chunk)]);
    if (read.length < 4) continue;
    const end = 4 + read.readUInt32BE(0);
    if (read.length >= end) return read.subarray(4, end);
  }
  throw new Error('The standard input ended before the request.');
}

function writeMessage(bytes: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([length, bytes]));
}
