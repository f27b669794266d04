/**
 * Owns HTTP/1.1 load at a fixed rate, as a program: `steady-load-client.ts <options as JSON>` prints what it measured.
 * Each latency counts from when its request was due, also when it had to wait for a connection, and each request that
 * was due is waited for. How late the client itself was is measured too, so that it is not taken for the server. Our
 * own client, because those that are there tell latencies in whole milliseconds.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import type { RecordableHistogram } from 'node:perf_hooks';

import { steadyLoadOptions } from './load.ts';
import type { SteadyLoadOptions, SteadyLoadResult } from './load.ts';

const HEAD_END = '\r\n\r\n';
/** Longer than any head, and than most answers. */
const BUFFER_BYTES = 64 * 1024;
const MICROSECONDS = 1000;

interface Connection {
  readonly socket: Socket;
  /** Of the request in hand. */
  dueAt: number;
  /** Bytes of the answer that are still to come; 0 before its head. */
  missing: number;
}

const options = steadyLoadOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
const request = writeRequest(options);
const intervalMs = 1000 / options.rate;
/** Requests that compile the client, and are not counted. */
const ignored = Math.round(options.rate * options.warmUpSeconds);
const total = ignored + Math.round(options.rate * options.seconds);
const latencies = createHistogram();
const ownDelays = createHistogram();
/** How many requests have been due, how many of them were sent, and how many answered. */
const count = { due: 0, sent: 0, answered: 0 };

const idle: Connection[] = [];
for (let opened = 0; opened < options.connections; opened += 1) idle.push(await openConnection());
const startedAt = performance.now();
const findDue = (index: number): number => startedAt + index * intervalMs;
await new Promise<void>((resolve) => {
  // It spins: a timer's millisecond would be more than what is measured.
  const turn = (): void => {
    const now = performance.now();
    for (; count.due < total && findDue(count.due) <= now; count.due += 1)
      if (count.due >= ignored) recordMs(ownDelays, now - findDue(count.due));
    sendDue();
    if (count.answered === total) resolve();
    else setImmediate(turn);
  };
  turn();
});
const answers = total - ignored;
const output: SteadyLoadResult = {
  perSecond: (answers / (performance.now() - findDue(ignored))) * 1000,
  answers,
  p50: readMs(latencies, 50),
  p99: readMs(latencies, 99),
  ownP99: readMs(ownDelays, 99),
};
process.stdout.write(JSON.stringify(output), () => process.exit());

function sendDue(): void {
  while (count.sent < count.due) {
    const connection = idle.pop();
    if (connection === undefined) return;
    connection.dueAt = findDue(count.sent);
    count.sent += 1;
    connection.socket.write(request);
  }
}

async function openConnection(): Promise<Connection> {
  // One buffer for all answers: what the client allocates, it collects later, and that would be a pause of its own.
  const onread = {
    buffer: Buffer.alloc(BUFFER_BYTES),
    callback: (length: number, buffer: Uint8Array): boolean => {
      readAnswer(connection, length, buffer);
      return true;
    },
  };
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true, onread });
  const connection: Connection = { socket, dueAt: 0, missing: 0 };
  await once(socket, 'connect');
  socket.on('close', () => {
    throw new Error('The server closed the connection');
  });
  return connection;
}

function readAnswer(connection: Connection, length: number, buffer: Uint8Array): void {
  if (connection.missing === 0) connection.missing = measureAnswer(buffer, length);
  connection.missing -= length;
  if (connection.missing > 0) return;
  if (connection.missing < 0) throw new Error('The server answered more than it was asked');
  if (connection.dueAt >= findDue(ignored))
    recordMs(latencies, performance.now() - connection.dueAt);
  count.answered += 1;
  idle.push(connection);
  sendDue();
}

/** In bytes, with its head, which has to be there as a whole. */
function measureAnswer(buffer: Uint8Array, received: number): number {
  const text = Buffer.from(buffer.buffer, buffer.byteOffset, received).toString('latin1');
  const headEnd = text.indexOf(HEAD_END);
  const head = text.slice(0, headEnd);
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
  if (headEnd === -1 || !head.startsWith('HTTP/1.1 200') || Number.isNaN(length))
    throw new Error(`The server answered ${text}`);
  return headEnd + HEAD_END.length + length;
}

function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * MICROSECONDS)));
}

function readMs(histogram: RecordableHistogram, percentile: number): number {
  return histogram.percentile(percentile) / MICROSECONDS;
}

function writeRequest({ port, path, headers, body }: SteadyLoadOptions): Buffer {
  const bytes = Buffer.from(body, 'base64');
  const fields = { ...headers, host: `127.0.0.1:${port}`, 'content-length': bytes.length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]);
}
