/** Owns the place in the report of what is measured as rows: the claims verdict, and our unary path alone. */
import type { BenchRow } from './bench-row.ts';
import type { BenchContext, Measurement } from './bench-context.ts';
import { runClaimsPolicyBench } from './claims-policy.ts';
import { formatNumber, judgeRow, writeTable } from './report.ts';
import type { Section } from './report.ts';
import { runUnaryAdapterBench } from './unary-adapter.ts';

export const verdict: Measurement = {
  name: 'verdict',
  summary: 'claims to verdict: the example rule, and the worst of the hostile ones',
  async run({ note }: BenchContext) {
    note('verdict: the example rule, then the hostile ones');
    return createSection('Claims to verdict', await runClaimsPolicyBench());
  },
};

export const unary: Measurement = {
  name: 'unary',
  summary: 'how calls are served, with nothing on, beside other servers',
  async run({ quick, note }: BenchContext) {
    note('unary: HTTP/1.1 and HTTP/2, in rounds');
    const rows = await (quick ? runUnaryAdapterBench(2, 2) : runUnaryAdapterBench());
    return createSection('The serving of calls, with nothing on', rows);
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
