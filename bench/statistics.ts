/** Owns the few statistics that a report needs, over plain lists of numbers. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value that a share of the values does not exceed, by the nearest rank. `NaN` of none. */
export function findQuantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle value, or the mean of the two middle ones. */
export function findMedian(values: readonly number[]): number {
  return (findQuantile(values, 0.5) + -findQuantile(negate(values), 0.5)) / 2;
}

export function measureSpread(values: readonly number[]): Spread {
  return { median: findMedian(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Slope of the least-squares line through the points. */
export function findSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = sum(points.map(([x]) => x)) / points.length;
  const meanY = sum(points.map(([, y]) => y)) / points.length;
  const covariance = sum(points.map(([x, y]) => (x - meanX) * (y - meanY)));
  return covariance / sum(points.map(([x]) => (x - meanX) ** 2));
}

const negate = (values: readonly number[]): number[] => values.map((value) => -value);

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
