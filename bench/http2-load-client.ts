/**
 * Owns an HTTP/2 load generator, as a program: it keeps so many streams open for so many seconds, and prints what came
 * back. It writes frames itself (RFC 9113), for Node's own client costs more than the servers it is to load. It knows
 * no more of HTTP/2 than a benchmark on 127.0.0.1 needs, and leaves reading header fields to whoever checked the
 * server before.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';

import { http2LoadOptions } from './load.ts';
import type { Http2LoadOptions, Http2LoadOutput } from './load.ts';

const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
} as const;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const HEAD_BYTES = 9;
/** RFC 9113 §6.9.2: what a connection may receive before it says more. */
const DEFAULT_WINDOW = 65_535;
const WINDOW = 2 ** 30;

const options = http2LoadOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
const template = createRequest(options);
const latencies = createHistogram();
let answers = 0;
let bytes = 0;
let resets = 0;
let isOver = false;

const sockets = await Promise.all(Array.from({ length: options.sessions }, openSession));
const startedAt = performance.now();
await new Promise((resolve) => setTimeout(resolve, options.seconds * 1000));
const output: Http2LoadOutput = {
  perSecond: (answers / (performance.now() - startedAt)) * 1000,
  answers,
  bytes,
  resets,
  p50: latencies.percentile(50) / 1000,
  p99: latencies.percentile(99) / 1000,
};
isOver = true;
for (const socket of sockets) socket.destroy();
process.stdout.write(JSON.stringify(output));

async function openSession() {
  const socket = connect(options.port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const sentAt = new Map<number, number>();
  let nextStream = 1;
  let received = Buffer.alloc(0);
  let unacknowledged = 0;
  /** Of streams that have not ended. */
  const streamBytes = new Map<number, number>();

  const writeRequest = (): Buffer => {
    const request = Buffer.from(template.frames);
    for (const offset of template.streamIdOffsets) request.writeUInt32BE(nextStream, offset);
    sentAt.set(nextStream, performance.now());
    streamBytes.set(nextStream, 0);
    nextStream += 2;
    return request;
  };
  const end = (stream: number): Buffer => {
    answers += 1;
    // Counted with its answer, so that what is under way at the end is in neither.
    bytes += streamBytes.get(stream) ?? 0;
    const microseconds = (performance.now() - (sentAt.get(stream) ?? 0)) * 1000;
    latencies.record(Math.max(1, Math.round(microseconds)));
    sentAt.delete(stream);
    streamBytes.delete(stream);
    return writeRequest();
  };
  const handle = (type: number, flags: number, stream: number, payload: Buffer): Buffer[] => {
    const isEnd = (flags & END_STREAM) !== 0;
    switch (type) {
      case FRAME.data:
        streamBytes.set(stream, (streamBytes.get(stream) ?? 0) + payload.length);
        unacknowledged += payload.length;
        return isEnd ? [end(stream)] : [];
      case FRAME.headers:
        return isEnd ? [end(stream)] : [];
      case FRAME.reset:
        resets += 1;
        return [writeRequest()];
      case FRAME.settings:
        return (flags & ACK) === 0 ? [createFrame(FRAME.settings, ACK, 0, Buffer.alloc(0))] : [];
      case FRAME.ping:
        return (flags & ACK) === 0 ? [createFrame(FRAME.ping, ACK, 0, payload)] : [];
      case FRAME.goaway:
        throw new Error(`The server ended the session: ${payload.toString('hex')}`);
      default:
        return [];
    }
  };

  socket.on('data', (chunk) => {
    if (isOver) return;
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const replies: Buffer[] = [];
    let at = 0;
    while (received.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + received.readUIntBE(at, 3);
      if (received.length < end) break;
      const stream = received.readUInt32BE(at + 5) & 0x7fffffff;
      const [type = 0, flags = 0] = received.subarray(at + 3, at + 5);
      replies.push(...handle(type, flags, stream, received.subarray(at + HEAD_BYTES, end)));
      at = end;
    }
    received = received.subarray(at);
    if (unacknowledged > WINDOW / 2) {
      replies.push(createWindowUpdate(unacknowledged));
      unacknowledged = 0;
    }
    if (replies.length > 0) socket.write(Buffer.concat(replies));
  });
  socket.on('error', (error) => {
    if (!isOver) throw error;
  });
  socket.on('close', () => {
    if (!isOver) throw new Error('The server closed the connection');
  });
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      createFrame(FRAME.settings, 0, 0, Buffer.alloc(0)),
      createWindowUpdate(WINDOW - DEFAULT_WINDOW),
      ...Array.from({ length: options.streamsPerSession }, writeRequest),
    ]),
  );
  return socket;
}

/** The frames of one request, and where its stream's id goes. */
function createRequest({ port, path, headers, body }: Http2LoadOptions) {
  const fields = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': `127.0.0.1:${port}`,
    ...headers,
  };
  const block = Buffer.concat(
    Object.entries(fields).map(([name, value]) => encodeField(name, value)),
  );
  const head = createFrame(FRAME.headers, END_HEADERS, 0, block);
  const data = createFrame(FRAME.data, END_STREAM, 0, Buffer.from(body, 'base64'));
  return { frames: Buffer.concat([head, data]), streamIdOffsets: [5, head.length + 5] };
}

function createFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(stream, 5);
  payload.copy(frame, HEAD_BYTES);
  return frame;
}

function createWindowUpdate(increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return createFrame(FRAME.window, 0, 0, payload);
}

/** A literal that is not indexed (RFC 7541 §6.2.2), so that every request has the same bytes. */
function encodeField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), encodeText(name), encodeText(value)]);
}

/** RFC 7541 §5.1 and §5.2, without Huffman coding. */
function encodeText(text: string): Buffer {
  const length: number[] = [];
  let rest = Buffer.byteLength(text);
  if (rest < 127) length.push(rest);
  else {
    length.push(127);
    for (rest -= 127; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
}
