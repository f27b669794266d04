/** Owns the measurement of resident memory: idle, and over many requests. */
import { setTimeout } from 'node:timers/promises';

import type { BenchContext, Measurement } from './bench-context.ts';
import {
  createConfiguration,
  OPERATOR_TOKEN,
  ORGANIZATION_SERVICE,
  SOURCE_ENTRY,
  startClaimgate,
} from './claimgate-process.ts';
import type { ClaimgateProcess } from './claimgate-process.ts';
import { loadHttp1 } from './load.ts';
import type { LoadTarget } from './load.ts';
import { readResidentMegabytes } from './process-usage.ts';
import { makePublishedCopy } from './published-copy.ts';
import { formatNumber, judgeAtMost, judgeBelow } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findSlope } from './statistics.ts';

export const memory: Measurement = {
  name: 'memory',
  summary: 'resident memory, idle and over a million requests',
  run: measureMemory,
};

const RESIDENT = 'resident memory, idle';
/** In MB. */
const IDLE_TARGET = 150;
/** What counts as flat: growth from the first quarter of the samples to the last, in per cent. */
const GROWTH_TARGET = 5;
const IDLE_MS = 3_000;
const CONNECTIONS = 32;

interface Sample {
  readonly requests: number;
  readonly megabytes: number;
}

async function measureMemory(context: BenchContext) {
  const [warmUp, total, step] = context.quick
    ? [5_000, 20_000, 2_000]
    : [100_000, 1_000_000, 50_000];
  const copy = await makePublishedCopy(context.folder);
  const published = await serve(context, copy.entry, async () => {});
  copy.remove();
  const samples: Sample[] = [];
  const source = await serve(context, SOURCE_ENTRY, async (claimgate, ssoConfigurationId) => {
    const target: LoadTarget = {
      port: claimgate.port,
      path: `/${ORGANIZATION_SERVICE}/GetSSOConfiguration`,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
      body: Buffer.from(JSON.stringify({ ssoConfigurationId })),
    };
    const request = async (requests: number) => {
      await loadHttp1(context.machine, target, CONNECTIONS, { requests });
      return readResidentMegabytes(claimgate.pid);
    };
    context.note(`memory: warming up with ${warmUp} requests`);
    samples.push({ requests: 0, megabytes: await request(warmUp) });
    for (let requests = step; requests <= total; requests += step) {
      const megabytes = await request(step);
      samples.push({ requests, megabytes });
      context.note(`memory: ${formatNumber(megabytes)} MB after ${requests} requests`);
    }
  });
  return describe({ source, published }, samples, warmUp, total);
}

/** Starts a server, lets it make one configuration, and resolves to its idle size after more has been done with it. */
async function serve(
  { machine, note, folder: parent }: BenchContext,
  entry: string,
  use: (claimgate: ClaimgateProcess, ssoConfigurationId: string) => Promise<void>,
): Promise<number> {
  const folder = makeScratchFolder(parent);
  const claimgate = await startClaimgate(machine, { folder, entry });
  try {
    const id = await createConfiguration(claimgate);
    await setTimeout(IDLE_MS);
    const idle = readResidentMegabytes(claimgate.pid);
    note(`memory: ${formatNumber(idle)} MB idle`);
    await use(claimgate, id);
    return idle;
  } finally {
    await claimgate.stop();
    removeScratchFolder(folder);
  }
}

interface Idle {
  readonly source: number;
  readonly published: number;
}

function describe(idle: Idle, samples: readonly Sample[], warmUp: number, total: number) {
  const sizes = samples.map(({ megabytes }) => megabytes);
  const quarter = Math.ceil(sizes.length / 4);
  const before = findMedian(sizes.slice(0, quarter));
  const growth = (findMedian(sizes.slice(-quarter)) / before - 1) * 100;
  const slope = findSlope(
    samples.map(({ requests, megabytes }) => [requests / 100_000, megabytes]),
  );
  const most = Math.max(...sizes);
  const flat = `growth over ${formatNumber(total)} requests`;
  return {
    title: 'Memory',
    verdicts: [
      judgeBelow(
        { what: `${RESIDENT}, from source`, value: idle.source, unit: ' MB' },
        IDLE_TARGET,
      ),
      judgeBelow(
        { what: `${RESIDENT}, as published`, value: idle.published, unit: ' MB' },
        IDLE_TARGET,
      ),
      judgeAtMost({ what: flat, value: growth, unit: ' %' }, GROWTH_TARGET),
    ],
    text: `Resident memory of the whole process, in MB (10⁶ bytes), ${IDLE_MS / 1000} s after its first calls and then under GetSSOConfiguration on
${CONNECTIONS} connections, sampled ${samples.length} times after ${formatNumber(warmUp)} requests to warm up. Growth is the median of the last quarter of
the samples beside that of the first.

- idle, from source: ${formatNumber(idle.source)} MB; as published: ${formatNumber(idle.published)} MB
- from source under load: ${formatNumber(findMedian(sizes))} MB, ${formatNumber(Math.min(...sizes))} at least, ${formatNumber(most)} at most
- growth: ${formatNumber(growth)} %; the line through all samples rises ${formatNumber(slope)} MB in 100,000 requests`,
  };
}
