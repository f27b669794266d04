/** Owns the small words for a state. Their colour never says anything alone. */

export type Tone = 'good' | 'warn' | 'wrong' | 'plain';

export function StatusBadge({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: string;
}) {
  return <span className={`badge ${tone}`}>{children}</span>;
}
