/** Owns how figures are judged against targets and written as Markdown. What is measured is not its business. */
import type { BenchRow } from './bench-row.ts';
import type { Spread } from './statistics.ts';

/** One target, and how near the figure came. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly reached: boolean;
  /** By how much it was missed, in per cent of the target; 0 when reached. */
  readonly missedBy: number;
}

export interface Section {
  readonly title: string;
  readonly verdicts: readonly Verdict[];
  /** Markdown. */
  readonly text: string;
}

export interface Goal {
  readonly what: string;
  readonly value: number;
  /** With a leading space where there is to be one. */
  readonly unit: string;
}

export const judgeAtMost = (goal: Goal, limit: number): Verdict => judge(goal, '≤', limit);
export const judgeBelow = (goal: Goal, limit: number): Verdict => judge(goal, '<', limit);
export const judgeAtLeast = (goal: Goal, limit: number): Verdict => judge(goal, '≥', limit);

/** The verdict on a row that states its target, such as `< 50`. */
export function judgeRow({ name, value, unit, target }: BenchRow): Verdict | undefined {
  const [, sign, limit] = /^([<≤≥]) ([\d.]+)$/.exec(target ?? '') ?? [];
  if (sign === undefined) return undefined;
  return judge({ what: name, value, unit: ` ${unit}` }, sign, Number(limit));
}

function judge({ what, value, unit }: Goal, sign: string, limit: number): Verdict {
  const reached = sign === '≥' ? value >= limit : sign === '≤' ? value <= limit : value < limit;
  return {
    what,
    target: `${sign} ${limit}${unit}`,
    measured: `${formatNumber(value)}${unit}`,
    reached,
    missedBy: reached ? 0 : (Math.abs(value - limit) / limit) * 100,
  };
}

/** Three significant digits; whole numbers from a thousand on. */
export function formatNumber(value: number): string {
  const isLarge = Math.abs(value) >= 1000;
  return value.toLocaleString(
    'en',
    isLarge ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}

/** The median, and the extremes of the rounds behind it. */
export function formatSpread({ median, min, max }: Spread): string {
  return `${formatNumber(median)} (${formatNumber(min)} – ${formatNumber(max)})`;
}

/** The first column holds words, the others figures. */
export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function writeVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ what, target, measured, reached, missedBy }) => [
    what,
    target,
    measured,
    reached ? 'reached' : `**missed by ${formatNumber(missedBy)} %**`,
  ]);
  return writeTable(['', 'target', 'measured', ''], rows);
}

export function writeReport(introduction: string, sections: readonly Section[]): string {
  const verdicts = sections.flatMap((section) => section.verdicts);
  return [
    '# Performance',
    introduction,
    ...(verdicts.length > 0 ? ['## Targets', writeVerdicts(verdicts)] : []),
    ...sections.flatMap(({ title, text }) => [`## ${title}`, text]),
    '',
  ].join('\n\n');
}
