/**
 * Owns the measurement of how calls are served: ours with everything on, beside servers that answer the same with
 * nothing on, in each protocol.
 */
import { writeFile } from 'node:fs/promises';

import { checkAnswer, measureGrpcAnswer, writeCall } from './bench-call.ts';
import type { BenchCall, CallProtocol } from './bench-call.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { callJson, createConfiguration, startClaimgate } from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { loadHttp1, loadHttp2 } from './load.ts';
import type { LoadResult } from './load.ts';
import { startPeer } from './peers.ts';
import type { PeerName } from './peers.ts';
import { findRates, findRatio, runRace, writeRace } from './race.ts';
import type { Contestant, Race } from './race.ts';
import { writeRateChart } from './rate-chart.ts';
import { judgeAtLeast } from './report.ts';
import type { Verdict } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { measureSteadiness } from './steadiness.ts';

export const serving: Measurement = {
  name: 'serving',
  summary: 'Get and List in each protocol, beside other servers',
  run: measureServing,
};

const CHART = 'docs/images/performance.svg';
const CONNECTIONS = 32;
const OURS = 'Claimgate, everything on';
const STOCK = {
  http1: 'connectNodeAdapter, HTTP/1.1',
  http2: 'connectNodeAdapter, HTTP/2',
} as const;
/** Of a page that is full. */
const LISTED = 100;

interface Scenario {
  readonly title: string;
  readonly call: BenchCall;
  readonly peers: readonly PeerName[];
  /** The least ratio of ours to a peer. */
  readonly targets: Readonly<Partial<Record<PeerName, number>>>;
}

async function measureServing(context: BenchContext) {
  const folder = makeScratchFolder(context.folder);
  const claimgate = await startClaimgate(context.machine, { folder });
  try {
    const scenarios = await prepareScenarios(claimgate);
    const races: Race[] = [];
    for (const scenario of scenarios)
      races.push(await runScenario(context, { claimgate, folder }, scenario));
    const [first] = scenarios;
    const steady =
      first && races[0]
        ? await measureSteady(context, { claimgate, folder }, first.call, races[0])
        : undefined;
    const verdicts = [
      ...scenarios.flatMap(({ targets }, index) => judgeRace(races[index], targets)),
      ...(steady === undefined ? [] : [steady.verdict]),
    ];
    const keepsChart = !context.quick;
    if (keepsChart) await writeFile(CHART, writeRateChart(races.map(describeBars)));
    const chart = `![Answers a second, ours and others](images/performance.svg)`;
    return {
      title: 'How calls are served, beside others',
      verdicts,
      text: [
        ...(keepsChart ? [chart] : []),
        INTRODUCTION,
        ...races.map(writeRace),
        ...(steady === undefined ? [] : [steady.text]),
      ].join('\n\n'),
    };
  } finally {
    await claimgate.stop();
    removeScratchFolder(folder);
  }
}

const INTRODUCTION = `Claimgate checks the token, validates the request and reads the store for every call. The others answer the
same message and do nothing else: \`connectNodeAdapter\` is connect-es as it comes, \`@grpc/grpc-js\` encodes with
protobuf-es, Fastify writes JSON by the response's schema, \`node:http\` and \`node:http2\` send fixed bytes. *Our unary
path* is what takes the adapter's place in Claimgate, with nothing on either. ${CONNECTIONS} connections over HTTP/1.1,
${CONNECTIONS} streams on four sessions over HTTP/2; each server alone at a time, in interleaved rounds. Median, and in
parentheses the least and the most of the rounds. *Processor* is what an answer cost the server, whoever the bottleneck
was; a server that costs little is limited by the load generator.`;

async function prepareScenarios(claimgate: ClaimgateProcess): Promise<readonly Scenario[]> {
  const id = await createConfiguration(claimgate);
  for (let count = 1; count < LISTED; count += 1)
    await createConfiguration(claimgate, { clientId: `client-${count}` });
  const get = await prepareCall(claimgate, 'getSSOConfiguration', { ssoConfigurationId: id });
  const list = (pageSize: number) =>
    prepareCall(claimgate, 'listSSOConfigurations', {
      organizationId: claimgate.organizationId,
      pagination: { pageSize },
    });
  const http1: readonly PeerName[] = [STOCK.http1, 'Fastify', 'node:http'];
  return [
    {
      title: 'Get, Connect JSON on HTTP/1.1',
      call: get('connect-json'),
      peers: ['our unary path, HTTP/1.1', ...http1],
      targets: { [STOCK.http1]: 4.5, 'node:http': 0.55 },
    },
    {
      title: 'Get, gRPC on HTTP/2',
      call: get('grpc'),
      peers: ['our unary path, HTTP/2', STOCK.http2, '@grpc/grpc-js', 'node:http2'],
      targets: { '@grpc/grpc-js': 1 },
    },
    {
      title: 'Get, Connect with Protobuf on HTTP/1.1',
      call: get('connect-proto'),
      peers: [STOCK.http1],
      targets: {},
    },
    {
      title: 'Get, gRPC-Web on HTTP/1.1',
      call: get('grpc-web'),
      peers: [STOCK.http1],
      targets: {},
    },
    {
      title: 'List of 25, Connect JSON on HTTP/1.1',
      call: (await list(25))('connect-json'),
      peers: http1,
      targets: { 'node:http': 0.4 },
    },
    {
      title: 'List of 100, Connect JSON on HTTP/1.1',
      call: (await list(100))('connect-json'),
      peers: http1,
      targets: {},
    },
  ];
}

async function prepareCall(
  { url }: ClaimgateProcess,
  method: BenchCall['method'],
  request: BenchCall['request'],
): Promise<(protocol: CallProtocol) => BenchCall> {
  const name = method === 'getSSOConfiguration' ? 'GetSSOConfiguration' : 'ListSSOConfigurations';
  const { text: json } = await callJson(url, name, request);
  return (protocol) => ({ method, protocol, request, json });
}

async function runScenario(
  { machine, quick, note }: BenchContext,
  { claimgate, folder }: { readonly claimgate: ClaimgateProcess; readonly folder: string },
  { title, call, peers: names }: Scenario,
): Promise<Race> {
  note(`${title}: warming up`);
  const peers = await Promise.all(
    names.map((name) => startPeer(machine, name, { ...call, folder })),
  );
  const target = writeCall(call);
  const answerBytes = measureGrpcAnswer(call);
  try {
    return await runRace(
      { quick, note },
      {
        title,
        contestants: [{ ...claimgate, name: OURS }, ...peers],
        async load({ name, port }: Contestant, seconds: number): Promise<LoadResult> {
          await checkAnswer(call, port, name);
          return call.protocol === 'grpc'
            ? loadHttp2(machine, { ...target, port }, seconds, answerBytes)
            : loadHttp1(machine, { ...target, port }, CONNECTIONS, { seconds });
        },
      },
    );
  } finally {
    await Promise.all(peers.map(({ stop }) => stop()));
  }
}

function judgeRace(race: Race | undefined, targets: Scenario['targets']): readonly Verdict[] {
  if (race === undefined) return [];
  return Object.entries(targets).map(([peer, least]) =>
    judgeAtLeast(
      { what: `${race.title}, beside ${peer}`, value: findRatio(race, peer), unit: '×' },
      least,
    ),
  );
}

async function measureSteady(
  context: BenchContext,
  { claimgate, folder }: { readonly claimgate: ClaimgateProcess; readonly folder: string },
  call: BenchCall,
  race: Race,
) {
  const findPeak = (name: string): number =>
    findRates(race)[race.contestants.findIndex((contestant) => contestant.name === name)] ?? 0;
  const bare = await startPeer(context.machine, 'node:http', { ...call, folder });
  try {
    return await measureSteadiness(context, {
      connections: CONNECTIONS,
      target: writeCall(call),
      ours: { ...claimgate, name: 'Claimgate', peak: findPeak(OURS) },
      bare: { ...bare, peak: findPeak(bare.name) },
    });
  } finally {
    await bare.stop();
  }
}

function describeBars(race: Race) {
  const rates = findRates(race);
  const bars = race.contestants.map(({ name }, index) => ({ name, value: rates[index] ?? 0 }));
  return { title: race.title, bars };
}
