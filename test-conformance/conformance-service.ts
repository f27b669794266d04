/**
 * Owns the implementation of the runner's own service, `connectrpc.conformance.v1.ConformanceService`: it does and
 * answers what each request tells it to, and echoes what it saw. Its proto file is the specification. It refuses to know
 * how it is served.
 */
// The generated types are missing where the linter runs by itself; it takes them for `any` then.
/* oxlint-disable typescript/no-redundant-type-constituents */
import { setTimeout as delay } from 'node:timers/promises';
import { create, createRegistry } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';

import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  ConformancePayload_RequestInfoSchema,
  ConformancePayloadSchema,
  file_connectrpc_conformance_v1_service,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
} from '../.generate/conformance/gen/connectrpc/conformance/v1/service_pb.ts';
import type {
  ConformancePayload,
  ConformancePayload_RequestInfo,
  ConformanceService,
  Error as ErrorDefinition,
  Header,
  StreamResponseDefinition,
  UnaryResponseDefinition,
} from '../.generate/conformance/gen/connectrpc/conformance/v1/service_pb.ts';

/** The messages that may stand in an `Any`, in an error's details for one. */
export const registry = createRegistry(file_connectrpc_conformance_v1_service);

/** `unimplemented` is left out, as the runner wants it. */
export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  async unary(request, context) {
    const requests = [anyPack(UnaryRequestSchema, request)];
    return { payload: await answerOnce(request.responseDefinition, requests, context) };
  },

  async idempotentUnary(request, context) {
    const requests = [anyPack(IdempotentUnaryRequestSchema, request)];
    return { payload: await answerOnce(request.responseDefinition, requests, context) };
  },

  async clientStream(incoming, context) {
    const { first, requests } = await collect(ClientStreamRequestSchema, incoming);
    return { payload: await answerOnce(first?.responseDefinition, requests, context) };
  },

  async *serverStream(request, context) {
    const requests = [anyPack(ServerStreamRequestSchema, request)];
    const { responseDefinition } = request;
    setHeaders(responseDefinition, context);
    yield* answerRest(responseDefinition, 0, requests, context);
  },

  async *bidiStream(incoming, context) {
    let definition: StreamResponseDefinition | undefined;
    let fullDuplex = false;
    let isFirst = true;
    let sent = 0;
    let requests: Any[] = [];
    for await (const request of incoming) {
      if (isFirst) {
        isFirst = false;
        ({ responseDefinition: definition, fullDuplex } = request);
        setHeaders(definition, context);
      }
      requests.push(anyPack(BidiStreamRequestSchema, request));
      if (!fullDuplex) continue;
      const data = definition?.responseData[sent];
      // An answer to each request; when there are none left, the error, if any.
      if (data === undefined) break;
      await pause(definition?.responseDelayMs, context);
      const requestInfo = sent === 0 ? describeRequest(requests, context) : { requests };
      yield { payload: { data, requestInfo } };
      requests = [];
      sent++;
    }
    yield* answerRest(definition, sent, requests, context);
  },
};

/** The answer of a method that has one: a payload, or an error that tells the same. */
async function answerOnce(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<ConformancePayload> {
  setHeaders(definition, context);
  const requestInfo = describeRequest(requests, context);
  await pause(definition?.responseDelayMs, context);
  const response = definition?.response;
  if (response?.case === 'error') throw createError(response.value, requestInfo);
  const data = response?.case === 'responseData' ? response.value : new Uint8Array();
  return create(ConformancePayloadSchema, { data, requestInfo });
}

/** The answers of a stream that are still to send, and its error. What was asked goes with the first of them all. */
async function* answerRest(
  definition: StreamResponseDefinition | undefined,
  sentBefore: number,
  requests: Any[],
  context: HandlerContext,
) {
  if (definition === undefined) return;
  let sent = sentBefore;
  const { responseData, responseDelayMs, error } = definition;
  for (const data of responseData.slice(sentBefore)) {
    await pause(responseDelayMs, context);
    yield {
      payload: sent === 0 ? { data, requestInfo: describeRequest(requests, context) } : { data },
    };
    sent++;
  }
  if (error === undefined) return;
  throw createError(error, sent === 0 ? describeRequest(requests, context) : undefined);
}

async function collect<Desc extends DescMessage>(
  desc: Desc,
  incoming: AsyncIterable<MessageShape<Desc>>,
) {
  let first: MessageShape<Desc> | undefined;
  const requests: Any[] = [];
  for await (const request of incoming) {
    first ??= request;
    requests.push(anyPack(desc, request));
  }
  return { first, requests };
}

function setHeaders(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  { responseHeader, responseTrailer }: HandlerContext,
): void {
  for (const { name, value } of definition?.responseHeaders ?? []) {
    for (const item of value) responseHeader.append(name, item);
  }
  for (const { name, value } of definition?.responseTrailers ?? []) {
    for (const item of value) responseTrailer.append(name, item);
  }
}

/** Waits, unless the call ends before; then its end is the error. */
async function pause(milliseconds: number | undefined, { signal }: HandlerContext): Promise<void> {
  if (milliseconds !== undefined && milliseconds > 0) {
    await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  }
  signal.throwIfAborted();
}

function describeRequest(
  requests: Any[],
  { requestHeader, requestMethod, timeoutMs, url }: HandlerContext,
): ConformancePayload_RequestInfo {
  const info = create(ConformancePayload_RequestInfoSchema, { requests });
  requestHeader.forEach((value, name) => {
    info.requestHeaders.push(createHeader(name, value.split(', ')));
  });
  // The endpoint sets a deadline of its own where the client names none.
  if (requestHeader.has('grpc-timeout') || requestHeader.has('connect-timeout-ms')) {
    const left = timeoutMs();
    if (left !== undefined) info.timeoutMs = BigInt(Math.ceil(left));
  }
  if (requestMethod === 'GET') {
    const { searchParams } = new URL(url);
    const names = [...new Set(searchParams.keys())];
    const queryParams = names.map((name) => createHeader(name, searchParams.getAll(name)));
    info.connectGetInfo = { $typeName: connectGetInfo, queryParams };
  }
  return info;
}

const connectGetInfo = 'connectrpc.conformance.v1.ConformancePayload.ConnectGetInfo';

function createHeader(name: string, value: string[]): Header {
  return { $typeName: 'connectrpc.conformance.v1.Header', name, value };
}

function createError(
  { code, message, details }: ErrorDefinition,
  requestInfo: ConformancePayload_RequestInfo | undefined,
): ConnectError {
  const given = details.map(unpackDetail);
  const own =
    requestInfo === undefined
      ? []
      : [{ desc: ConformancePayload_RequestInfoSchema, value: requestInfo }];
  return new ConnectError(message ?? '', codes.get(code), undefined, [...given, ...own]);
}

/** Both enums have gRPC's numbers. */
const codes = new Map<number, Code>(
  Object.values(Code)
    .filter((value) => typeof value === 'number')
    .map((value) => [value, value]),
);

function unpackDetail(detail: Any) {
  const value = anyUnpack(detail, registry);
  const desc = value && registry.getMessage(value.$typeName);
  if (value === undefined || desc === undefined)
    throw new Error(`The registry lacks ${detail.typeUrl}.`);
  return { desc, value };
}
