// Owns an OpenTelemetry collector as far as traces go: it takes what is exported by OTLP over HTTP, in protobuf, and reads
// it by the schema of https://github.com/open-telemetry/opentelemetry-proto for traces, version 1.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2 is an error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, string | number>>;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** All that has come, byte by byte. */
  readonly received: () => Buffer;
  readonly headers: readonly NodeJS.Dict<string | string[]>[];
  /** Answers with this from now on. */
  answer: (status: number) => void;
  readonly stop: () => Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    void receive();
    async function receive(): Promise<void> {
      const raw = await buffer(request);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      const isTraces = request.url === '/v1/traces' && request.method === 'POST';
      if (isTraces && request.headers['content-type'] === 'application/x-protobuf') {
        bodies.push(body);
        headers.push(request.headers);
        if (status === 200) spans.push(...readRequest(body));
      }
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    received: () => Buffer.concat(bodies),
    answer(next) {
      status = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | number | bigint)[]>;

function readFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | number | bigint)[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Bit64) values.push(BigInt(reader.fixed64()));
    else if (type === WireType.Varint) values.push(Number(reader.int64()));
    else reader.skip(type, number);
  }
  return fields;
}

const messages = (fields: Fields, number: number): readonly Fields[] =>
  (fields.get(number) ?? []).map((value) => readFields(value as Uint8Array));
const bytes = (fields: Fields, number: number): Buffer =>
  Buffer.from((fields.get(number)?.[0] ?? new Uint8Array()) as Uint8Array);
const integer = (fields: Fields, number: number): number => Number(fields.get(number)?.[0] ?? 0);

function readRequest(body: Uint8Array): readonly ReceivedSpan[] {
  return messages(readFields(body), 1).flatMap((resourceSpans) => {
    const resource = Object.assign({}, ...messages(resourceSpans, 1).map(readAttributes(1)));
    return messages(resourceSpans, 2).flatMap((scopeSpans) =>
      messages(scopeSpans, 2).map((span): ReceivedSpan => ({
        traceId: bytes(span, 1).toString('hex'),
        spanId: bytes(span, 2).toString('hex'),
        traceState: bytes(span, 3).toString(),
        parentSpanId: bytes(span, 4).toString('hex'),
        name: bytes(span, 5).toString(),
        kind: integer(span, 6),
        attributes: readAttributes(9)(span),
        status: messages(span, 15).map((status) => integer(status, 3))[0] ?? 0,
        resource,
      })),
    );
  });
}

function readAttributes(number: number): (fields: Fields) => Record<string, string | number> {
  return (fields) =>
    Object.fromEntries(
      messages(fields, number).map((pair) => {
        const [value = new Map()] = messages(pair, 2);
        return [
          bytes(pair, 1).toString(),
          value.has(1) ? bytes(value, 1).toString() : integer(value, 3),
        ];
      }),
    );
}
