/**
 * Owns the measurement of GetSSOConfiguration: ours with everything on, beside servers that answer the same with nothing
 * on. All run at once; one at a time is loaded, in rounds, so that whatever else the machine does meets all alike.
 */
import { fromJsonString, create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

import {
  GetSSOConfigurationRequestSchema,
  GetSSOConfigurationResponseSchema,
  OrganizationService,
} from '../gen/gitpod/v1/organization_pb.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { startScript, waitForOutput } from './child-script.ts';
import {
  callJson,
  createConfiguration,
  OPERATOR_TOKEN,
  ORGANIZATION_SERVICE,
  startClaimgate,
} from './claimgate-process.ts';
import { loadHttp1, loadHttp2 } from './load.ts';
import type { LoadResult, LoadTarget } from './load.ts';
import type { Machine } from './machine.ts';
import { readProcessorMs } from './process-usage.ts';
import { formatNumber, formatSpread, judgeAtLeast, writeBars, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder, stopChild } from './scratch.ts';
import { findMedian, measureSpread } from './statistics.ts';

export const get: Measurement = {
  name: 'get',
  summary: 'GetSSOConfiguration beside other servers, HTTP/1.1 JSON and gRPC on HTTP/2',
  run: measureGet,
};

const CONNECTIONS = 32;
const METHOD = 'GetSSOConfiguration';
const PATH = `/${ORGANIZATION_SERVICE}/${METHOD}`;
const AUTHORIZATION = `Bearer ${OPERATOR_TOKEN}`;
/** The least share of ours in the rate of the bare adapter. */
const TARGET = 1;

interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

interface Round extends LoadResult {
  /** What an answer cost the server, in microseconds. */
  readonly processorUs: number;
}

interface Race {
  readonly title: string;
  readonly contestants: readonly Contestant[];
  readonly rounds: ReadonlyMap<Contestant, readonly Round[]>;
}

async function measureGet(context: BenchContext) {
  const { machine } = context;
  const folder = makeScratchFolder(context.folder);
  const claimgate = await startClaimgate(machine, { folder });
  const id = await createConfiguration(claimgate);
  const { text: json } = await callJson(claimgate.url, METHOD, { ssoConfigurationId: id });
  const ours = { name: '**Claimgate, everything on**', ...claimgate };
  const peers = new Map<string, Peer>();
  for (const name of PEERS) peers.set(name, await startPeer(machine, name, json));
  const select = (...names: string[]) => [ours, ...names.flatMap((name) => peers.get(name) ?? [])];
  try {
    const http1 = await race(
      context,
      'HTTP/1.1, JSON',
      select('connectNodeAdapter, HTTP/1.1', 'node:http'),
      await prepareHttp1(machine, id, json),
    );
    const http2 = await race(
      context,
      'HTTP/2, gRPC',
      select('connectNodeAdapter, HTTP/2', '@grpc/grpc-js', 'node:http2'),
      await prepareHttp2(machine, id, json),
    );
    const ratio = { value: findRatio(http1, 'connectNodeAdapter, HTTP/1.1'), unit: '×' };
    return {
      title: 'GetSSOConfiguration, beside others',
      verdicts: [
        judgeAtLeast(
          { what: `Get over HTTP/1.1 JSON, beside a bare connectNodeAdapter`, ...ratio },
          TARGET,
        ),
      ],
      text: [INTRODUCTION, writeRace(http1), writeRace(http2)].join('\n\n'),
    };
  } finally {
    await Promise.all([claimgate.stop(), ...[...peers.values()].map(({ stop }) => stop())]);
    removeScratchFolder(folder);
  }
}

const INTRODUCTION = `Claimgate checks the token, validates the request and reads the store for every call. The others answer the
same message and do nothing else: \`connectNodeAdapter\` is connect-es as it comes, \`@grpc/grpc-js\` encodes with
protobuf-es, \`node:http\` and \`node:http2\` send fixed bytes. ${CONNECTIONS} connections over HTTP/1.1, ${CONNECTIONS} streams on
four sessions over HTTP/2; each server alone at a time, in interleaved rounds. Median, and in parentheses the least and
the most of the rounds. *Processor* is what an answer cost the server, whoever the bottleneck was; a server that costs
little is limited by the load generator.`;

const PEERS = [
  'connectNodeAdapter, HTTP/1.1',
  'node:http',
  'connectNodeAdapter, HTTP/2',
  '@grpc/grpc-js',
  'node:http2',
];

interface Peer extends Contestant {
  readonly stop: () => Promise<void>;
}

async function startPeer(machine: Machine, name: string, json: string): Promise<Peer> {
  const child = startScript(machine, ['bench/peer-server.ts', name, json], { cores: 'server' });
  const [, port] = await waitForOutput(child, /listens at (\d+)/);
  return { name, port: Number(port), pid: child.pid ?? 0, stop: () => stopChild(child) };
}

type Load = (contestant: Contestant, seconds: number) => Promise<LoadResult>;

/** Fails unless a contestant's answer has the very bytes of ours. */
async function prepareHttp1(machine: Machine, id: string, json: string): Promise<Load> {
  const headers = { 'content-type': 'application/json', authorization: AUTHORIZATION };
  const body = Buffer.from(JSON.stringify({ ssoConfigurationId: id }));
  return async ({ name, port }, seconds) => {
    const answer = await fetch(`http://127.0.0.1:${port}${PATH}`, {
      method: 'POST',
      headers,
      body,
    });
    if ((await answer.text()) !== json) throw new Error(`${name} answers something else`);
    return loadHttp1(machine, { port, path: PATH, headers, body }, CONNECTIONS, { seconds });
  };
}

async function prepareHttp2(machine: Machine, id: string, json: string): Promise<Load> {
  const request = toBinary(
    GetSSOConfigurationRequestSchema,
    create(GetSSOConfigurationRequestSchema, { ssoConfigurationId: id }),
  );
  const response = fromJsonString(GetSSOConfigurationResponseSchema, json);
  const answerBytes = 5 + toBinary(GetSSOConfigurationResponseSchema, response).length;
  const headers = {
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: AUTHORIZATION,
  };
  return async ({ name, port }, seconds) => {
    await checkGrpc({ name, port }, id, toJsonString(GetSSOConfigurationResponseSchema, response));
    const target: LoadTarget = { port, path: PATH, headers, body: writeEnvelope(request) };
    return loadHttp2(machine, target, seconds, answerBytes);
  };
}

async function checkGrpc(
  { name, port }: Pick<Contestant, 'name' | 'port'>,
  id: string,
  json: string,
) {
  const baseUrl = `http://127.0.0.1:${port}`;
  const client = createClient(
    OrganizationService,
    createGrpcTransport({ baseUrl, idleConnectionTimeoutMs: 50 }),
  );
  const headers = { authorization: AUTHORIZATION };
  const answer = await client.getSSOConfiguration({ ssoConfigurationId: id }, { headers });
  if (toJsonString(GetSSOConfigurationResponseSchema, answer) !== json)
    throw new Error(`${name} answers something else`);
}

function writeEnvelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A server has seen some 30,000 calls before the compiler is done with it, so the warm-up is long. */
async function race(
  { quick, note }: BenchContext,
  title: string,
  contestants: readonly Contestant[],
  load: Load,
): Promise<Race> {
  const [count, seconds, warmUp] = quick ? [2, 2, 3] : [5, 5, 10];
  for (const contestant of contestants) {
    note(`get: ${title}: warming up ${contestant.name}`);
    await load(contestant, warmUp);
  }
  const rounds = new Map<Contestant, Round[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 1; round <= count; round += 1) {
    for (const contestant of contestants) {
      const before = readProcessorMs(contestant.pid);
      const result = await load(contestant, seconds);
      const used = (readProcessorMs(contestant.pid) ?? Number.NaN) - (before ?? Number.NaN);
      rounds.get(contestant)?.push({ ...result, processorUs: (used * 1000) / result.answers });
      note(
        `get: ${title}: round ${round} of ${count}: ${contestant.name} ${formatNumber(result.perSecond)}/s`,
      );
    }
  }
  return { title, contestants, rounds };
}

/** The median of the rounds' ratios: what disturbs a round disturbs both of its sides. */
function findRatio({ contestants, rounds }: Race, peer: string): number {
  const [ours = [], theirs = []] = [
    contestants[0],
    contestants.find(({ name }) => name === peer),
  ].map((contestant) => (contestant === undefined ? [] : rounds.get(contestant)));
  return findMedian(
    ours.map(({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? Number.NaN)),
  );
}

function writeRace(race: Race): string {
  const list = race.contestants.map((contestant) => ({
    contestant,
    rounds: race.rounds.get(contestant) ?? [],
  }));
  const rows = list.map(({ contestant: { name }, rounds }) => [
    name,
    `${findRatio(race, name).toFixed(2)}×`,
    formatSpread(measureSpread(rounds.map(({ perSecond }) => perSecond))),
    formatNumber(findMedian(rounds.map(({ processorUs }) => processorUs))),
    formatNumber(findMedian(rounds.map(({ p50 }) => p50))),
    formatNumber(findMedian(rounds.map(({ p99 }) => p99))),
  ]);
  const head = ['', 'ours ÷ this', 'answers/s', 'processor, µs', 'p50, ms', 'p99, ms'];
  const bars = list.map(({ contestant: { name }, rounds }) => ({
    name: name.replaceAll('*', ''),
    value: findMedian(rounds.map(({ perSecond }) => perSecond)),
  }));
  return [`### ${race.title}`, writeTable(head, rows), writeBars(bars)].join('\n\n');
}
