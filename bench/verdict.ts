/** Owns the place of the claims verdict in the report; how it is measured is in `claims-policy.ts`. */
import type { BenchContext, Measurement } from './bench-context.ts';
import { runClaimsPolicyBench } from './claims-policy.ts';
import { formatNumber, judgeRow, writeTable } from './report.ts';

export const verdict: Measurement = {
  name: 'verdict',
  summary: 'claims to verdict: the example rule, and the worst of the hostile ones',
  run: measureVerdict,
};

async function measureVerdict({ note }: BenchContext) {
  note('verdict: the example rule, then the hostile ones');
  const rows = await runClaimsPolicyBench();
  const cells = rows.map(({ name, value, unit }) => [name, `${formatNumber(value)} ${unit}`]);
  return {
    title: 'Claims to verdict',
    verdicts: rows.flatMap((row) => judgeRow(row) ?? []),
    text: writeTable(['', 'measured'], cells),
  };
}
