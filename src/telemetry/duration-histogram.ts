/**
 * Owns histograms of durations that every call adds to. The library's own finds its labels by writing them into a text,
 * each time, and its buckets by another: that takes 0.4 µs, and this 0.05. What is read of it is the same.
 */
import type { Metric, Registry } from 'prom-client';

export interface DurationHistogramOptions<First extends string, Second extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [First, Second];
  /** Upper bounds, rising, in seconds. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/** Adds a duration, in seconds, to the series of these labels' values. */
export type ObserveDuration = (first: string, second: string, seconds: number) => void;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** For each bucket what fell into it and not into one before, and at the end the rest. */
  readonly counts: number[];
  sum: number;
}

export function createDurationHistogram<First extends string, Second extends string>({
  name,
  help,
  labelNames: [firstName, secondName],
  buckets,
  registry,
}: DurationHistogramOptions<First, Second>): ObserveDuration {
  const all = new Map<string, Map<string, Series>>();

  const findSeries = (first: string, second: string): Series => {
    const known = all.get(first)?.get(second);
    if (known !== undefined) return known;
    const labels = { [firstName]: first, [secondName]: second };
    const series = { labels, counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 };
    const ofFirst = all.get(first) ?? new Map<string, Series>();
    all.set(first, ofFirst.set(second, series));
    return series;
  };

  const listValues = ({ labels, counts, sum }: Series) => {
    let count = 0;
    const bounds = [...buckets, '+Inf'].map((le, index) => {
      count += counts[index] ?? 0;
      return { labels: { le, ...labels }, value: count, metricName: `${name}_bucket` };
    });
    return [
      ...bounds,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ];
  };

  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: [...all.values()].flatMap((ofFirst) => [...ofFirst.values()]).flatMap(listValues),
    }),
  };
  // The registry asks for these alone; its type wants one of the library's classes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  registry.registerMetric(metric as unknown as Metric);

  return (first, second, seconds) => {
    const series = findSeries(first, second);
    let index = 0;
    while (index < buckets.length && seconds > (buckets[index] ?? 0)) index += 1;
    series.counts[index] = (series.counts[index] ?? 0) + 1;
    series.sum += seconds;
  };
}
