/**
 * Owns the load: HTTP/1.1 by autocannon, HTTP/2 and fixed rates by our own clients, each in a process of its own on the load's core.
 * An answer that is not the expected one fails the benchmark: errors are cheap to send.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import { runScript } from './child-script.ts';
import type { Machine } from './machine.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export const loadResult = z.object({
  perSecond: z.number(),
  answers: z.number(),
  /** In milliseconds. */
  p50: z.number(),
  p99: z.number(),
});

export type LoadResult = Readonly<z.infer<typeof loadResult>>;

export interface LoadTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const autocannonOutput = z.object({
  duration: z.number(),
  '2xx': z.number(),
  non2xx: z.number(),
  errors: z.number(),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

/** Until so many seconds are over, or so many requests have been made. */
export type LoadLimit = { readonly seconds: number } | { readonly requests: number };

export async function loadHttp1(
  machine: Machine,
  { port, path, headers, body }: LoadTarget,
  connections: number,
  until: LoadLimit,
): Promise<LoadResult> {
  const limit = 'seconds' in until ? ['-d', String(until.seconds)] : ['-a', String(until.requests)];
  // An argument cannot hold every byte, and a file is read as text.
  const folder = makeScratchFolder(tmpdir());
  const bodyFile = join(folder, 'body');
  writeFileSync(bodyFile, body);
  const command = [
    'node_modules/autocannon/autocannon.js',
    '--json',
    '--no-progress',
    '-m',
    'POST',
    '-c',
    String(connections),
    '-i',
    bodyFile,
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]),
    ...limit,
    `http://127.0.0.1:${port}${path}`,
  ];
  const output = await runScript(machine, command, { cores: 'load', output: autocannonOutput });
  removeScratchFolder(folder);
  if (output.non2xx + output.errors > 0)
    throw new Error(`${output.non2xx} answers were errors, ${output.errors} requests failed`);
  const answers = output['2xx'];
  return { perSecond: answers / output.duration, answers, ...output.latency };
}

/** What a load client of our own is asked to send. */
const clientTarget = z.object({
  port: z.number(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  /** In base64. */
  body: z.string(),
});

function describeTarget({ body, ...target }: LoadTarget): z.infer<typeof clientTarget> {
  return { ...target, body: Buffer.from(body).toString('base64') };
}

/** What `steady-load-client.ts` is given. */
export const steadyLoadOptions = clientTarget.extend({
  connections: z.number(),
  /** Before it counts, at the same rate. */
  warmUpSeconds: z.number(),
  seconds: z.number(),
  /** Requests a second. */
  rate: z.number(),
});

export type SteadyLoadOptions = Readonly<z.infer<typeof steadyLoadOptions>>;

const steadyLoadResult = loadResult.extend({
  /** How late the client was to see that a request was due, in milliseconds. It is a part of the latencies. */
  ownP99: z.number(),
});

export type SteadyLoadResult = Readonly<z.infer<typeof steadyLoadResult>>;

/** At a fixed rate, over HTTP/1.1. */
export async function loadSteadily(
  machine: Machine,
  target: LoadTarget,
  pace: Pick<SteadyLoadOptions, 'connections' | 'warmUpSeconds' | 'seconds' | 'rate'>,
): Promise<SteadyLoadResult> {
  const options: SteadyLoadOptions = { ...describeTarget(target), ...pace };
  const command = ['bench/steady-load-client.ts', JSON.stringify(options)];
  return runScript(machine, command, { cores: 'load', output: steadyLoadResult });
}

/** What `http2-load-client.ts` is given. */
export const http2LoadOptions = clientTarget.extend({
  sessions: z.number(),
  streamsPerSession: z.number(),
  seconds: z.number(),
});

export type Http2LoadOptions = Readonly<z.infer<typeof http2LoadOptions>>;

/** What it prints. */
const http2LoadOutput = loadResult.extend({
  resets: z.number(),
  /** In DATA frames. */
  bytes: z.number(),
});

export type Http2LoadOutput = Readonly<z.infer<typeof http2LoadOutput>>;

/** 32 streams on four sessions. @param answerBytes what every answer's DATA frames hold. */
export async function loadHttp2(
  machine: Machine,
  target: LoadTarget,
  seconds: number,
  answerBytes: number,
): Promise<LoadResult> {
  const options: Http2LoadOptions = {
    ...describeTarget(target),
    seconds,
    sessions: 4,
    streamsPerSession: 8,
  };
  const command = ['bench/http2-load-client.ts', JSON.stringify(options)];
  const output = await runScript(machine, command, { cores: 'load', output: http2LoadOutput });
  if (output.resets > 0) throw new Error(`${output.resets} streams were reset`);
  if (output.bytes !== output.answers * answerBytes)
    throw new Error(`${output.answers} answers had ${output.bytes} bytes, not ${answerBytes} each`);
  return output;
}
