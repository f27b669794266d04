/** Owns the place in the report of what is measured as rows. */
import type { BenchRow } from './bench-row.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { runClaimsPolicyBench } from './claims-policy.ts';
import { formatNumber, judgeRow, writeTable } from './report.ts';
import type { Section } from './report.ts';

export const verdict: Measurement = {
  name: 'verdict',
  summary: 'claims to verdict: the example rule, and the worst of the hostile ones',
  async run({ note }: BenchContext) {
    note('verdict: the example rule, then the hostile ones');
    return createSection('Claims to verdict', await runClaimsPolicyBench());
  },
};

function createSection(title: string, rows: readonly BenchRow[]): Section {
  const cells = rows.map(({ name, value, unit }) => [name, `${formatNumber(value)} ${unit}`]);
  return {
    title,
    verdicts: rows.flatMap((row) => judgeRow(row) ?? []),
    text: writeTable(['', 'measured'], cells),
  };
}
