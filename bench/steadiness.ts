/**
 * Owns the measurement of how evenly a server answers below its peak: latency at a fixed rate, ours beside bare
 * `node:http` under the same client, so that what is the machine's is not taken for the server's. What the peak is, and
 * what is asked, it is told.
 */
import type { BenchContext } from './bench-context.ts';
import { loadSteadily } from './load.ts';
import type { LoadTarget, SteadyLoadResult } from './load.ts';
import { readCoreWaitMs } from './process-usage.ts';
import type { Contestant } from './race.ts';
import { formatNumber, formatSpread, judgeBelow, writeTable } from './report.ts';
import type { Verdict } from './report.ts';
import { findMedian, measureSpread } from './statistics.ts';

/** Of the peak rate, at which a server has to be steady. */
const SHARE = 0.8;
const PERCENT = SHARE * 100;
/** p99 beside the median. */
const TARGET = 3;

export interface SteadinessOptions {
  readonly connections: number;
  /** The port is added to it. */
  readonly target: Omit<LoadTarget, 'port'>;
  readonly ours: Contender;
  readonly bare: Contender;
}

export interface Contender extends Contestant {
  /** Calls a second. */
  readonly peak: number;
}

interface Entry {
  readonly label: string;
  readonly server: Contender;
  readonly rate: number;
}

interface Round extends SteadyLoadResult {
  /** Of the round, in per cent; `NaN` where the system does not tell. */
  readonly waited: number;
  /** p99 beside the median. */
  readonly tail: number;
}

/**
 * In interleaved rounds. They are long because full collections of V8 have been seen 6 to 20 s apart, and the median of
 * short rounds would hide them.
 */
export async function measureSteadiness(
  { machine, quick, note }: BenchContext,
  { connections, target, ours, bare }: SteadinessOptions,
): Promise<{ readonly verdict: Verdict; readonly text: string }> {
  const [count, seconds, warmUpSeconds] = quick ? [2, 2, 1] : [5, 20, 3];
  const rate = Math.round(ours.peak * SHARE);
  const own: Entry = { label: `**${ours.name}, ${PERCENT} % of its peak**`, server: ours, rate };
  const entries: readonly Entry[] = [
    own,
    { label: `${bare.name}, at the same rate`, server: bare, rate },
    {
      label: `${bare.name}, ${PERCENT} % of its peak`,
      server: bare,
      rate: Math.round(bare.peak * SHARE),
    },
  ];
  const rounds = new Map<Entry, Round[]>(entries.map((entry) => [entry, []]));
  // The first is to warm up.
  for (let round = 0; round <= count; round += 1)
    for (const entry of entries) {
      const result = await runRound(entry);
      if (round === 0) continue;
      rounds.get(entry)?.push(result);
      note(`${entry.label}: round ${round} of ${count}: p99 ${formatNumber(result.p99)} ms`);
    }
  const what = `Get: p99 beside the median, at ${PERCENT} % of the peak rate`;
  const value = findMedian((rounds.get(own) ?? []).map(({ tail }) => tail));
  return {
    verdict: judgeBelow({ what, value, unit: '×' }, TARGET),
    text: `### Get at ${PERCENT} % of the peak, Connect JSON on HTTP/1.1\n\n${INTRODUCTION}\n\n${writeRounds(rounds)}`,
  };

  /** A server that falls behind is late with all calls alike, so its median counts for no more than a call at the peak. */
  async function runRound({ server, rate: perSecond }: Entry): Promise<Round> {
    const before = readCoreWaitMs(server.pid) ?? Number.NaN;
    const result = await loadSteadily(
      machine,
      { ...target, port: server.port },
      { connections, warmUpSeconds, seconds, rate: perSecond },
    );
    const waitedMs = (readCoreWaitMs(server.pid) ?? Number.NaN) - before;
    return {
      ...result,
      waited: (waitedMs / (warmUpSeconds + seconds) / 1000) * 100,
      tail: result.p99 / Math.min(result.p50, (connections / server.peak) * 1000),
    };
  }
}

const INTRODUCTION = `Calls are sent at a fixed rate, whether or not earlier ones have been answered. A latency counts from when its call was
due, and each call that was due is waited for; what is sent to warm up does not count. At such a rate, one pause makes
late all that is due until the server has caught up, which takes several times as long as the pause. So \`node:http\`,
which sends fixed bytes, is measured in the same rounds by the same client: its tail is what the machine and the client
make of a server that does nothing. At the same rate it has time to spare; at ${PERCENT} % of its own peak it catches up as
slowly as ours. _Waited_ is the share of time in which the server's main thread was ready to run and something else had
its core: V8's helper threads, the system, other programs. _Client_ is how late the client itself was at the 99th
percentile; the latencies hold it. The tail is held against the median, or against what a call takes at the peak where
that is less, so that falling behind does not pass for being steady. Median, and in parentheses the least and the most of the rounds.`;

function writeRounds(all: ReadonlyMap<Entry, readonly Round[]>): string {
  const rows = [...all].map(([{ label }, rounds]) => {
    const describe = (read: (round: Round) => number): string =>
      formatSpread(measureSpread(rounds.map(read)));
    return [
      label,
      formatNumber(findMedian(rounds.map(({ perSecond }) => perSecond))),
      describe(({ p50 }) => p50),
      describe(({ p99 }) => p99),
      describe(({ tail }) => tail),
      formatNumber(findMedian(rounds.map(({ waited }) => waited))),
      formatNumber(findMedian(rounds.map(({ ownP99 }) => ownP99))),
    ];
  });
  const head = ['', 'calls/s', 'p50, ms', 'p99, ms', 'p99 ÷ p50', 'waited, %', 'client, ms'];
  return writeTable(head, rows);
}
