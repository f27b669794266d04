/**
 * Owns HTTP/1.1 load at a fixed rate, as a program: `steady-load-client.ts <options as JSON>` prints what it measured.
 * Each latency counts from when its request was due, also when it had to wait for a connection. Our own client, because
 * those that are there tell latencies in whole milliseconds.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';

import { steadyLoadOptions } from './load.ts';
import type { LoadResult, SteadyLoadOptions } from './load.ts';

const HEAD_END = Buffer.from('\r\n\r\n');

const options = steadyLoadOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
const request = writeRequest(options);
const latencies = createHistogram();
let answers = 0;
/** When requests were due that no connection is free for, in milliseconds. */
const waiting: number[] = [];

const idle = await Promise.all(Array.from({ length: options.connections }, openConnection));
const startedAt = performance.now();
const endsAt = startedAt + options.seconds * 1000;
let sent = 0;
await new Promise<void>((resolve) => {
  // It spins: a timer's millisecond would be more than what is measured.
  const turn = (): void => {
    const now = performance.now();
    if (now >= endsAt) {
      resolve();
      return;
    }
    for (; startedAt + (sent * 1000) / options.rate <= now; sent += 1) {
      waiting.push(startedAt + (sent * 1000) / options.rate);
    }
    sendDue();
    setImmediate(turn);
  };
  turn();
});
const output: LoadResult = {
  perSecond: (answers / (performance.now() - startedAt)) * 1000,
  answers,
  p50: latencies.percentile(50) / 1000,
  p99: latencies.percentile(99) / 1000,
};
process.stdout.write(JSON.stringify(output), () => process.exit());

interface Connection {
  readonly socket: Socket;
  dueAt: number;
}

function sendDue(): void {
  while (waiting.length > 0) {
    const connection = idle.pop();
    if (connection === undefined) return;
    connection.dueAt = waiting.shift() ?? 0;
    connection.socket.write(request);
  }
}

async function openConnection(): Promise<Connection> {
  const socket = connect(options.port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const connection: Connection = { socket, dueAt: 0 };
  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = received.toString('latin1', 0, headEnd);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(length))
      throw new Error(`The server answered ${head}`);
    if (received.length < headEnd + HEAD_END.length + length) return;
    received = Buffer.alloc(0);
    answers += 1;
    const microseconds = (performance.now() - connection.dueAt) * 1000;
    latencies.record(Math.max(1, Math.round(microseconds)));
    idle.push(connection);
    sendDue();
  });
  socket.on('close', () => {
    throw new Error('The server closed the connection');
  });
  return connection;
}

function writeRequest({ port, path, headers, body }: SteadyLoadOptions): Buffer {
  const bytes = Buffer.from(body, 'base64');
  const fields = { ...headers, host: `127.0.0.1:${port}`, 'content-length': bytes.length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]);
}
