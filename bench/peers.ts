/** Owns which servers ours is held against, and their start as processes of their own (`peer-server.ts`). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BenchMethod } from './bench-call.ts';
import { startScript, waitForOutput } from './child-script.ts';
import type { Machine } from './machine.ts';
import type { Contestant } from './race.ts';
import { stopChild } from './scratch.ts';

export type PeerName =
  | 'node:http'
  | 'Fastify'
  | 'connectNodeAdapter, HTTP/1.1'
  | 'our unary path, HTTP/1.1'
  | 'node:http2'
  | 'connectNodeAdapter, HTTP/2'
  | 'our unary path, HTTP/2'
  | '@grpc/grpc-js';

export interface Peer extends Contestant {
  readonly stop: () => Promise<void>;
}

export interface PeerAnswer {
  readonly method: BenchMethod;
  readonly json: string;
  /** Where the answer can be put. */
  readonly folder: string;
}

export async function startPeer(
  machine: Machine,
  name: PeerName,
  { method, json, folder }: PeerAnswer,
): Promise<Peer> {
  const file = join(folder, 'answer.json');
  writeFileSync(file, json);
  const child = startScript(machine, ['bench/peer-server.ts', name, method, file], {
    cores: 'server',
  });
  const [, port] = await waitForOutput(child, /listens at (\d+)/);
  return { name, port: Number(port), pid: child.pid ?? 0, stop: () => stopChild(child) };
}
