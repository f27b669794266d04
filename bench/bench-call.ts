/**
 * Owns how the benchmark asks for a call in each protocol, and how it sees that an answer is the expected one. How
 * often it is asked is the load's business (`load.ts`).
 */
import { fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { DescMethodUnary, JsonValue } from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';

import { OrganizationService } from '../gen/gitpod/v1/organization_pb.ts';
import { OPERATOR_TOKEN, ORGANIZATION_SERVICE } from './claimgate-process.ts';
import type { LoadTarget } from './load.ts';

export type CallProtocol = 'connect-json' | 'connect-proto' | 'grpc-web' | 'grpc';
export type BenchMethod = 'getSSOConfiguration' | 'listSSOConfigurations';

export function isBenchMethod(name: string): name is BenchMethod {
  return name === 'getSSOConfiguration' || name === 'listSSOConfigurations';
}

export interface BenchCall {
  readonly method: BenchMethod;
  readonly protocol: CallProtocol;
  /** As JSON. */
  readonly request: Readonly<Record<string, JsonValue>>;
  /** The expected answer, as JSON that writes out empty fields. */
  readonly json: string;
}

const AUTHORIZATION = `Bearer ${OPERATOR_TOKEN}`;
const CONTENT_TYPES: Readonly<Record<CallProtocol, string>> = {
  'connect-json': 'application/json',
  'connect-proto': 'application/proto',
  'grpc-web': 'application/grpc-web+proto',
  grpc: 'application/grpc',
};

export function findMethod(method: BenchMethod): DescMethodUnary {
  return OrganizationService.method[method];
}

/** The request's bytes; the port is added to it. */
export function writeCall({ method, protocol, request }: BenchCall): Omit<LoadTarget, 'port'> {
  const { name, input } = findMethod(method);
  const headers = {
    'content-type': CONTENT_TYPES[protocol],
    authorization: AUTHORIZATION,
    ...(protocol === 'grpc' && { te: 'trailers' }),
  };
  return { path: `/${ORGANIZATION_SERVICE}/${name}`, headers, body: writeBody() };

  function writeBody(): Uint8Array {
    const json = JSON.stringify(request);
    if (protocol === 'connect-json') return Buffer.from(json);
    const message = toBinary(input, fromJsonString(input, json));
    return protocol === 'connect-proto' ? message : writeEnvelope(message);
  }
}

/** How many bytes the DATA frames of a gRPC answer hold. */
export function measureGrpcAnswer({ method, json }: BenchCall): number {
  const { output } = findMethod(method);
  return writeEnvelope(toBinary(output, fromJsonString(output, json))).length;
}

/** Fails unless the server's answer is the expected one. In JSON, its very bytes are compared. */
export async function checkAnswer(call: BenchCall, port: number, name: string): Promise<void> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const { path, headers, body } = writeCall(call);
  const answer =
    call.protocol === 'connect-json'
      ? await readJson(`${baseUrl}${path}`, headers, body)
      : await callByClient(call, createTransport(call.protocol, baseUrl));
  if (answer !== call.json) throw new Error(`${name} answers something else: ${answer}`);
}

async function readJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
  return response.text();
}

async function callByClient({ method, request }: BenchCall, transport: Transport): Promise<string> {
  const description = findMethod(method);
  const { input, output } = description;
  const message = fromJsonString(input, JSON.stringify(request));
  const headers = { authorization: AUTHORIZATION };
  const answer = await transport.unary(description, undefined, undefined, headers, message);
  return toJsonString(output, answer.message, { alwaysEmitImplicit: true });
}

function createTransport(protocol: CallProtocol, baseUrl: string): Transport {
  switch (protocol) {
    case 'grpc':
      // Otherwise the session outlives the check, and the server that it leads to.
      return createGrpcTransport({ baseUrl, idleConnectionTimeoutMs: 50 });
    case 'grpc-web':
      return createGrpcWebTransport({ baseUrl, httpVersion: '1.1' });
    case 'connect-json':
    case 'connect-proto':
      return createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: true });
  }
}

function writeEnvelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
