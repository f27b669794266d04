/** Owns the shape of what every benchmark reports, and how a row looks on a terminal. */

/** One measurement. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  /** Such as `µs`, `ms`, `MB`, `/s`. */
  readonly unit: string;
  /** What was to be reached, such as `< 50`; in the row's unit. */
  readonly target?: string;
}

/** One line for each row, columns aligned. */
export function formatBenchRows(rows: readonly BenchRow[]): string {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, value, unit, target }) => {
      const amount = value.toLocaleString('en', { maximumSignificantDigits: 3 }).padStart(10);
      return `${name.padEnd(width)} ${amount} ${unit}${target === undefined ? '' : `  (target ${target} ${unit})`}`;
    })
    .join('\n');
}
