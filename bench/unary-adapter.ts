/**
 * Owns the measurement of our unary path alone: GetSSOConfiguration, answered fixed, with nothing on, beside connect-es's
 * adapter and beside what Node can do at all. Run it: `node bench/unary-adapter.ts [rounds] [seconds]`. What the whole
 * program costs is measured in `get.ts`.
 */
import { pathToFileURL } from 'node:url';
import { create, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';

import {
  GetSSOConfigurationRequestSchema,
  GetSSOConfigurationResponseSchema,
} from '../gen/gitpod/v1/organization_pb.ts';
import { formatBenchRows } from './bench-row.ts';
import type { BenchRow } from './bench-row.ts';
import { startScript, waitForOutput } from './child-script.ts';
import { loadHttp1, loadHttp2 } from './load.ts';
import type { LoadTarget } from './load.ts';
import { prepareMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { readProcessorMs } from './process-usage.ts';
import { stopChild } from './scratch.ts';
import { findMedian } from './statistics.ts';

const PATH = '/gitpod.v1.OrganizationService/GetSSOConfiguration';
const CONNECTIONS = 32;
const ID = '01936b2a-8c1f-7d2e-9a4b-5c6d7e8f9a0b';

const REQUEST = create(GetSSOConfigurationRequestSchema, { ssoConfigurationId: ID });
const RESPONSE = create(GetSSOConfigurationResponseSchema, {
  ssoConfiguration: {
    id: ID,
    organizationId: '01936b2a-8c1f-7d2e-9a4b-5c6d7e8f9a0c',
    clientId: 'claimgate',
    issuerUrl: 'https://idp.example.com/realms/example',
    state: 1,
    claims: { email: 'email', groups: 'realm_access.groups' },
    emailDomain: 'example.com',
    providerType: 2,
    emailDomains: ['example.com', 'example.org'],
    displayName: 'Example Corporation',
    additionalScopes: ['groups'],
    claimsExpression: '"engineering" in claims.groups',
  },
});

interface Race {
  readonly title: string;
  /** Ours, connect-es's, bare Node: scripts with their arguments. */
  readonly scripts: readonly (readonly string[])[];
  readonly load: (port: number, seconds: number) => Promise<{ perSecond: number; answers: number }>;
  readonly targets: { readonly original: string; readonly bare?: string };
}

interface Round {
  readonly perSecond: number;
  /** What an answer cost the server's processor. */
  readonly microseconds: number;
}

/** Ratios are medians of the rounds' ratios: what disturbs a round disturbs all three alike. */
export async function runUnaryAdapterBench(rounds = 5, seconds = 4): Promise<readonly BenchRow[]> {
  const machine = prepareMachine();
  const rows: BenchRow[] = [];
  for (const race of describeRaces(machine))
    rows.push(...(await run(machine, race, rounds, seconds)));
  return rows;
}

function describeRaces(machine: Machine): readonly Race[] {
  const json = toJsonString(GetSSOConfigurationResponseSchema, RESPONSE, {
    alwaysEmitImplicit: true,
  });
  const peer = (name: string) => ['bench/peer-server.ts', name, json];
  const ours = (version: string) => ['bench/unary-adapter-peer.ts', version, json];
  const call: Pick<LoadTarget, 'path' | 'headers' | 'body'> = {
    path: PATH,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(toJsonString(GetSSOConfigurationRequestSchema, REQUEST)),
  };
  const grpcCall: typeof call = {
    path: PATH,
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: envelop(toBinary(GetSSOConfigurationRequestSchema, REQUEST)),
  };
  const response = fromJsonString(GetSSOConfigurationResponseSchema, json);
  const answerBytes = envelop(toBinary(GetSSOConfigurationResponseSchema, response)).length;
  return [
    {
      title: 'HTTP/1.1 JSON',
      scripts: [ours('1'), peer('connectNodeAdapter, HTTP/1.1'), peer('node:http')],
      load: (port, seconds) => loadHttp1(machine, { ...call, port }, CONNECTIONS, { seconds }),
      targets: { original: '≥ 4.5', bare: '≥ 0.7' },
    },
    {
      title: 'HTTP/2 gRPC',
      scripts: [
        ours('2'),
        peer('connectNodeAdapter, HTTP/2'),
        peer('node:http2'),
        peer('@grpc/grpc-js'),
      ],
      load: (port, seconds) => loadHttp2(machine, { ...grpcCall, port }, seconds, answerBytes),
      targets: { original: '≥ 4.5' },
    },
  ];
}

function envelop(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function run(
  machine: Machine,
  { title, scripts, load, targets }: Race,
  count: number,
  seconds: number,
): Promise<readonly BenchRow[]> {
  const servers = await Promise.all(scripts.map((script) => startServer(machine, script)));
  try {
    for (const { port } of servers) await load(port, seconds);
    const rounds = servers.map((): Round[] => []);
    for (let round = 0; round < count; round++) {
      for (const [index, { port, pid }] of servers.entries()) {
        const before = readProcessorMs(pid) ?? Number.NaN;
        const { perSecond, answers } = await load(port, seconds);
        const microseconds = (((readProcessorMs(pid) ?? Number.NaN) - before) * 1000) / answers;
        rounds[index]?.push({ perSecond, microseconds });
      }
    }
    return report(title, rounds, targets);
  } finally {
    await Promise.all(servers.map(({ stop }) => stop()));
  }
}

async function startServer(machine: Machine, script: readonly string[]) {
  const child = startScript(machine, script, { cores: 'server' });
  const [, port] = await waitForOutput(child, /listens at (\d+)/);
  return { port: Number(port), pid: child.pid ?? 0, stop: () => stopChild(child) };
}

function report(
  title: string,
  [ours = [], original = [], bare = [], grpcJs]: readonly (readonly Round[])[],
  targets: Race['targets'],
): readonly BenchRow[] {
  const rate = (name: string, rounds: readonly Round[]): BenchRow[] => [
    { name: `${title}: ${name}`, value: findMedian(rounds.map((r) => r.perSecond)), unit: '/s' },
    {
      name: `${title}: ${name}, processor`,
      value: findMedian(rounds.map((r) => r.microseconds)),
      unit: 'µs',
    },
  ];
  const ratio = (name: string, to: readonly Round[], target?: string): BenchRow => ({
    name: `${title}: ours ÷ ${name}`,
    value: findMedian(ours.map((r, index) => r.perSecond / (to[index]?.perSecond ?? Number.NaN))),
    unit: '×',
    ...(target !== undefined && { target }),
  });
  return [
    ratio('connectNodeAdapter', original, targets.original),
    ratio('bare Node', bare, targets.bare),
    ...(grpcJs === undefined ? [] : [ratio('@grpc/grpc-js', grpcJs, '≥ 1')]),
    ...rate('ours', ours),
    ...rate('connectNodeAdapter', original),
    ...rate('bare Node', bare),
    ...(grpcJs === undefined ? [] : rate('@grpc/grpc-js', grpcJs)),
  ];
}

const [, program = '', rounds, seconds] = process.argv;
if (import.meta.url === pathToFileURL(program).href) {
  const rows = await runUnaryAdapterBench(Number(rounds ?? 5), Number(seconds ?? 4));
  process.stdout.write(`${formatBenchRows(rows)}\n`);
}
