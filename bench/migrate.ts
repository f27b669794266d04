/** Owns the measurement of moving a large SQLite store to PostgreSQL by command: how long, and in how much memory. */
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';

import { parseEncryptionKeys } from '../src/store/keyring.ts';
import { sealSecret } from '../src/store/secret-box.ts';
import { placeClientSecret } from '../src/store/sso-configuration-queries.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { startScript } from './child-script.ts';
import { SOURCE_ENTRY, startClaimgate } from './claimgate-process.ts';
import { BENCH_KEYS, startPostgres } from './postgres-process.ts';
import { readProcessorMs, readResidentMegabytes } from './process-usage.ts';
import { formatNumber, judgeBelow } from './report.ts';
import { fillDatabase } from './scale-data.ts';
import { makeScratchFolder, removeScratchFolder } from './scratch.ts';

export const migrate: Measurement = {
  name: 'migrate',
  summary: '1,000,000 configurations from SQLite to PostgreSQL by claimgate migrate',
  run: measureMigration,
};

/** In minutes. */
const TARGET = 5;
/** Between two looks at its memory, in milliseconds. */
const PAUSE = 250;

interface Migration {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly rows: number;
  /** Of the first quarter of the time, and of all of it: the most that was seen, in MB. */
  readonly early: number;
  readonly peak: number;
}

async function measureMigration(context: BenchContext) {
  const { quick, note } = context;
  const size = quick ? 50_000 : 1_000_000;
  const folder = makeScratchFolder(context.folder);
  const database = await startPostgres();
  try {
    note(`migrate: making ${formatNumber(size)} configurations`);
    await makeSource(context, folder, size);
    note('migrate: moving them');
    const url = database.createUrl(await database.createDatabase());
    return describe(await runMigration(context, folder, url), size);
  } finally {
    await database.dispose();
    removeScratchFolder(folder);
  }
}

/** With client secrets that open, because that is looked at. */
async function makeSource(
  { machine, note }: BenchContext,
  folder: string,
  size: number,
): Promise<void> {
  const env = { CLAIMGATE_ENCRYPTION_KEYS: BENCH_KEYS };
  await (await startClaimgate(machine, { folder, env })).stop();
  const keyring = parseEncryptionKeys(BENCH_KEYS);
  fillDatabase({
    folder,
    size,
    samples: 1,
    note,
    seal: (organizationId, id) =>
      sealSecret(keyring, placeClientSecret(organizationId, id), 'secret-of-the-benchmark'),
  });
}

const reported = z.object({ tables: z.array(z.object({ rows: z.number() })) });

async function runMigration(
  { machine }: BenchContext,
  folder: string,
  url: string,
): Promise<Migration> {
  const from = `sqlite:${join(folder, 'claimgate.db')}`;
  const startedAt = performance.now();
  const child = startScript(machine, [SOURCE_ENTRY, 'migrate', '--from', from, '--json'], {
    cores: 'all',
    env: { CLAIMGATE_DATABASE_URL: url, CLAIMGATE_ENCRYPTION_KEYS: BENCH_KEYS },
  });
  const printed = child.stdout === null ? Promise.resolve('') : text(child.stdout);
  const exited = once(child, 'exit');
  const samples: number[] = [];
  let processorMs = 0;
  while (child.exitCode === null && child.signalCode === null) {
    samples.push(readResidentMegabytes(child.pid ?? 0));
    processorMs = readProcessorMs(child.pid ?? 0) ?? processorMs;
    await Promise.race([exited, setTimeout(PAUSE)]);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  if (child.exitCode !== 0) throw new Error(`claimgate migrate ended with ${child.exitCode}`);
  const { tables } = reported.parse(JSON.parse(await printed));
  return {
    seconds,
    processorSeconds: processorMs / 1000,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    early: Math.max(...samples.slice(0, Math.ceil(samples.length / 4))),
    peak: Math.max(...samples),
  };
}

function describe(migration: Migration, size: number) {
  const { seconds, processorSeconds, rows, early, peak } = migration;
  return {
    title: `Moving ${formatNumber(size)} configurations to PostgreSQL`,
    verdicts: [
      judgeBelow(
        {
          what: `claimgate migrate, ${formatNumber(size)} configurations`,
          value: seconds / 60,
          unit: ' min',
        },
        TARGET,
      ),
    ],
    text: `\`claimgate migrate\` from SQLite to PostgreSQL on the same machine: ${formatNumber(rows)} rows copied, read once more on both
sides, compared and indexed in ${formatNumber(seconds)} s, of which ${formatNumber(processorSeconds)} s of processor time are the command's. It had at most
${formatNumber(early)} MB resident in the first quarter of that time, and ${formatNumber(peak)} MB in all of it.`,
  };
}
