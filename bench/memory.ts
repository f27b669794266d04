/** Owns the measurement of resident memory: idle, and over many requests. */
import { setTimeout } from 'node:timers/promises';

import type { BenchContext, Measurement } from './bench-context.ts';
import {
  createConfiguration,
  OPERATOR_TOKEN,
  ORGANIZATION_SERVICE,
  startClaimgate,
} from './claimgate-process.ts';
import { loadHttp1 } from './load.ts';
import type { LoadTarget } from './load.ts';
import { readResidentMegabytes } from './process-usage.ts';
import { formatNumber, judgeAtMost, judgeBelow } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, findSlope } from './statistics.ts';

export const memory: Measurement = {
  name: 'memory',
  summary: 'resident memory, idle and over 200,000 requests',
  run: measureMemory,
};

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
  const { machine, quick, note } = context;
  const [warmUp, total, step] = quick ? [5_000, 20_000, 2_000] : [100_000, 200_000, 10_000];
  const folder = makeScratchFolder(context.folder);
  const claimgate = await startClaimgate(machine, { folder });
  try {
    const target: LoadTarget = {
      port: claimgate.port,
      path: `/${ORGANIZATION_SERVICE}/GetSSOConfiguration`,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
      body: Buffer.from(
        JSON.stringify({ ssoConfigurationId: await createConfiguration(claimgate) }),
      ),
    };
    await setTimeout(IDLE_MS);
    const idle = readResidentMegabytes(claimgate.pid);
    note(`memory: ${formatNumber(idle)} MB idle; warming up with ${warmUp} requests`);
    await loadHttp1(machine, target, CONNECTIONS, { requests: warmUp });
    const samples: Sample[] = [{ requests: 0, megabytes: readResidentMegabytes(claimgate.pid) }];
    for (let requests = step; requests <= total; requests += step) {
      await loadHttp1(machine, target, CONNECTIONS, { requests: step });
      samples.push({ requests, megabytes: readResidentMegabytes(claimgate.pid) });
      note(`memory: ${formatNumber(samples.at(-1)?.megabytes ?? 0)} MB after ${requests} requests`);
    }
    return describe(idle, samples, warmUp, total);
  } finally {
    await claimgate.stop();
    removeScratchFolder(folder);
  }
}

function describe(idle: number, samples: readonly Sample[], warmUp: number, total: number) {
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
      judgeBelow({ what: 'resident memory, idle', value: idle, unit: ' MB' }, IDLE_TARGET),
      judgeAtMost({ what: flat, value: growth, unit: ' %' }, GROWTH_TARGET),
    ],
    text: `Resident memory of the whole process, in MB (10⁶ bytes), ${IDLE_MS / 1000} s after its start and then under GetSSOConfiguration on
${CONNECTIONS} connections, sampled ${samples.length} times after ${formatNumber(warmUp)} requests to warm up. Growth is the median of the last quarter of
the samples beside that of the first.

- idle: ${formatNumber(idle)} MB
- under load: ${formatNumber(findMedian(sizes))} MB, ${formatNumber(Math.min(...sizes))} at least, ${formatNumber(most)} at most
- growth: ${formatNumber(growth)} %; the line through all samples rises ${formatNumber(slope)} MB in 100,000 requests`,
  };
}
