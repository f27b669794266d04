/** Owns the measurement of how soon a started process answers: from its making to the first answers. */
import { setTimeout } from 'node:timers/promises';

import type { BenchContext, Measurement } from './bench-context.ts';
import {
  findFreePort,
  launchClaimgate,
  OPERATOR_TOKEN,
  SOURCE_ENTRY,
} from './claimgate-process.ts';
import { makePublishedCopy } from './published-copy.ts';
import { formatSpread, judgeBelow, writeTable } from './report.ts';
import { makeScratchFolder, removeScratchFolder, stopChild } from './scratch.ts';
import { findMedian, measureSpread } from './statistics.ts';

export const start: Measurement = {
  name: 'start',
  summary: 'from the making of the process to its first answers',
  run: measureStart,
};

/** In milliseconds. */
const TARGET = 400;
const FIRST_ANSWER = 'start to first answer (an RPC)';
const PATIENCE = 20_000;
const PAUSE = 2;

interface FirstAnswers {
  /** In milliseconds. */
  readonly health: number;
  readonly rpc: number;
}

async function measureStart(context: BenchContext) {
  const runs = context.quick ? 3 : 15;
  const rows: string[][] = [];
  const measure = async (what: string, entry: string, isFirstStart: boolean): Promise<number> => {
    context.note(`start: ${what}, ${runs} times`);
    const answers = await startRepeatedly(context, runs, entry, isFirstStart);
    const health = answers.map((answer) => answer.health);
    const rpc = answers.map((answer) => answer.rpc);
    rows.push([what, formatSpread(measureSpread(health)), formatSpread(measureSpread(rpc))]);
    return findMedian(rpc);
  };
  const again = await measure('from source', SOURCE_ENTRY, false);
  await measure('from source, making its database first', SOURCE_ENTRY, true);
  const copy = await makePublishedCopy(context.folder);
  const published = await measure('as published', copy.entry, false);
  copy.remove();
  return {
    title: 'Start',
    verdicts: [
      judgeBelow({ what: `${FIRST_ANSWER}, from source`, value: again, unit: ' ms' }, TARGET),
      judgeBelow({ what: `${FIRST_ANSWER}, as published`, value: published, unit: ' ms' }, TARGET),
    ],
    text: `From the making of the process to the end of the first answer, on all cores; a client asks every ${PAUSE} ms. From source is as \`npm start\` runs
it, TypeScript whose types are taken out at each start; as published is what is installed from the package. Median, and
in parentheses the least and the most of ${runs} starts.\n\n${writeTable(['', '/healthz, ms', 'first RPC, ms'], rows)}`,
  };
}

async function startRepeatedly(
  context: BenchContext,
  runs: number,
  entry: string,
  isFirstStart: boolean,
): Promise<FirstAnswers[]> {
  const answers: FirstAnswers[] = [];
  let folder = makeScratchFolder(context.folder);
  // Makes the database, and brings the program into the system's file cache.
  await startOnce(context, folder, entry);
  for (let run = 0; run < runs; run += 1) {
    if (isFirstStart) {
      removeScratchFolder(folder);
      folder = makeScratchFolder(context.folder);
    }
    answers.push(await startOnce(context, folder, entry));
  }
  removeScratchFolder(folder);
  return answers;
}

async function startOnce(
  { machine }: BenchContext,
  folder: string,
  entry: string,
): Promise<FirstAnswers> {
  const port = await findFreePort();
  const startedAt = performance.now();
  const { child } = launchClaimgate(machine, { folder, port, entry, cores: 'all' });
  try {
    const base = `http://127.0.0.1:${port}`;
    await waitUntilOk(() => fetch(`${base}/healthz`));
    const health = performance.now() - startedAt;
    await waitUntilOk(() => callIdentity(base));
    return { health, rpc: performance.now() - startedAt };
  } finally {
    await stopChild(child);
  }
}

const callIdentity = (base: string): Promise<Response> =>
  fetch(`${base}/gitpod.v1.IdentityService/GetAuthenticatedIdentity`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' },
    body: '{}',
  });

async function waitUntilOk(ask: () => Promise<Response>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    // Nothing listens yet.
    const answer = await ask().catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    await setTimeout(PAUSE);
  }
  throw new Error(`There was no good answer within ${PATIENCE} ms`);
}
