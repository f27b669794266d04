/**
 * Owns holding servers against one another: all run at once; one at a time is loaded, in rounds, so that whatever else
 * the machine does meets all alike. What they are asked is not its business.
 */
import type { BenchContext } from './bench-context.ts';
import type { LoadResult } from './load.ts';
import { readProcessorMs } from './process-usage.ts';
import { formatNumber, formatSpread, writeTable } from './report.ts';
import { findMedian, measureSpread } from './statistics.ts';

export interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

interface Round extends LoadResult {
  /** What an answer cost the server, in microseconds. */
  readonly processorUs: number;
}

export interface Race {
  readonly title: string;
  /** Ours is the first. */
  readonly contestants: readonly Contestant[];
  readonly rounds: ReadonlyMap<Contestant, readonly Round[]>;
}

export interface RaceOptions {
  readonly title: string;
  readonly contestants: readonly Contestant[];
  readonly load: (contestant: Contestant, seconds: number) => Promise<LoadResult>;
}

/** A server has seen some 30,000 calls before the compiler is done with it, so the warm-up is long. */
export async function runRace(
  { quick, note }: Pick<BenchContext, 'quick' | 'note'>,
  { title, contestants, load }: RaceOptions,
): Promise<Race> {
  const [count, seconds, warmUp] = quick ? [2, 2, 3] : [5, 3, 6];
  for (const contestant of contestants) await load(contestant, warmUp);
  const rounds = new Map<Contestant, Round[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 1; round <= count; round += 1) {
    const rates: string[] = [];
    for (const contestant of contestants) {
      const before = readProcessorMs(contestant.pid);
      const result = await load(contestant, seconds);
      const used = (readProcessorMs(contestant.pid) ?? Number.NaN) - (before ?? Number.NaN);
      rounds.get(contestant)?.push({ ...result, processorUs: (used * 1000) / result.answers });
      rates.push(`${contestant.name} ${formatNumber(result.perSecond)}/s`);
    }
    note(`${title}: round ${round} of ${count}: ${rates.join(', ')}`);
  }
  return { title, contestants, rounds };
}

/** Ours beside a peer: the median of the rounds' ratios, because what disturbs a round disturbs both of its sides. */
export function findRatio({ contestants, rounds }: Race, peer: string): number {
  const readRounds = (contestant: Contestant | undefined): readonly Round[] =>
    contestant === undefined ? [] : (rounds.get(contestant) ?? []);
  const theirs = readRounds(contestants.find(({ name }) => name === peer));
  const ratios = readRounds(contestants[0]).map(
    ({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? Number.NaN),
  );
  return findMedian(ratios);
}

/** In answers a second, in the order of the contestants. */
export function findRates({ contestants, rounds }: Race): readonly number[] {
  return contestants.map((contestant) =>
    findMedian((rounds.get(contestant) ?? []).map(({ perSecond }) => perSecond)),
  );
}

export function writeRace(race: Race): string {
  const rows = race.contestants.map((contestant, index) => {
    const rounds = race.rounds.get(contestant) ?? [];
    const { name } = contestant;
    return [
      index === 0 ? `**${name}**` : name,
      index === 0 ? '' : `${findRatio(race, name).toFixed(2)}×`,
      formatSpread(measureSpread(rounds.map(({ perSecond }) => perSecond))),
      formatNumber(findMedian(rounds.map(({ processorUs }) => processorUs))),
      formatNumber(findMedian(rounds.map(({ p50 }) => p50))),
      formatNumber(findMedian(rounds.map(({ p99 }) => p99))),
    ];
  });
  const head = ['', 'ours ÷ this', 'answers/s', 'processor, µs', 'p50, ms', 'p99, ms'];
  return `### ${race.title}\n\n${writeTable(head, rows)}`;
}
