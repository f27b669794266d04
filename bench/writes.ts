/** Owns the measurement of acknowledged updates per second, beside what SQLite itself can do on this disk. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';

import type { BenchContext, Measurement } from './bench-context.ts';
import { runScript } from './child-script.ts';
import {
  createConfiguration,
  OPERATOR_TOKEN,
  ORGANIZATION_SERVICE,
  startClaimgate,
} from './claimgate-process.ts';
import { loadHttp1, loadResult } from './load.ts';
import type { LoadResult, LoadTarget } from './load.ts';
import { formatNumber, formatSpread, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';
import { findMedian, measureSpread } from './statistics.ts';

export const writes: Measurement = {
  name: 'writes',
  summary: 'acknowledged updates on SQLite, beside raw node:sqlite',
  run: measureWrites,
};

const PARALLEL = 32;

async function measureWrites(context: BenchContext) {
  const { machine, note } = context;
  const [rounds, seconds] = context.quick ? [2, 2] : [5, 5];
  const folder = makeScratchFolder(context.folder);
  const rawFolder = join(folder, 'raw');
  const first = await startClaimgate(machine, { folder });
  const id = await createConfiguration(first);
  await first.stop();
  // The raw updates get the same rows in a file of their own.
  await cp(join(folder, 'claimgate.db'), join(rawFolder, 'claimgate.db'));
  const claimgate = await startClaimgate(machine, { folder });
  const target: LoadTarget = {
    port: claimgate.port,
    path: `/${ORGANIZATION_SERVICE}/UpdateSSOConfiguration`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` },
    body: Buffer.from(JSON.stringify({ ssoConfigurationId: id, displayName: 'Acme staff' })),
  };
  const raw = ['bench/raw-updates.ts', join(rawFolder, 'claimgate.db'), id, String(seconds)];
  const contestants: readonly { name: string; run: () => Promise<LoadResult> }[] = [
    {
      name: `**UpdateSSOConfiguration, ${PARALLEL} at once**`,
      run: () => loadHttp1(machine, target, PARALLEL, { seconds }),
    },
    {
      name: '**UpdateSSOConfiguration, one at a time**',
      run: () => loadHttp1(machine, target, 1, { seconds }),
    },
    {
      name: 'raw `node:sqlite`, one at a time',
      run: () => runScript(machine, raw, { cores: 'server', output: loadResult }),
    },
  ];
  const results = new Map<string, LoadResult[]>(contestants.map(({ name }) => [name, []]));
  try {
    for (let round = 0; round <= rounds; round += 1) {
      for (const { name, run } of contestants) {
        const result = await run();
        note(`writes: round ${round} of ${rounds}: ${name} ${formatNumber(result.perSecond)}/s`);
        // The first warms up.
        if (round > 0) results.get(name)?.push(result);
      }
    }
  } finally {
    await claimgate.stop();
    removeScratchFolder(folder);
  }
  const rates = (name: string) => (results.get(name) ?? []).map(({ perSecond }) => perSecond);
  const rawRate = findMedian(rates(contestants.at(-1)?.name ?? ''));
  const rows = contestants.map(({ name }) => [
    name,
    `${(findMedian(rates(name)) / rawRate).toFixed(2)}×`,
    formatSpread(measureSpread(rates(name))),
    formatNumber(findMedian((results.get(name) ?? []).map(({ p99 }) => p99))),
  ]);
  return {
    title: 'Acknowledged updates',
    verdicts: [],
    text: `SQLite with a write-ahead log and \`synchronous = FULL\`: an update is answered when it is on the disk. Each is a transaction
of its own. Beside it, \`node:sqlite\` alone makes the same update of the same row with the same settings. Over HTTP/1.1 JSON;
median, and in parentheses the least and the most of ${rounds} interleaved rounds.

${writeTable(['', 'beside raw', 'updates/s', 'p99, ms'], rows)}`,
  };
}
