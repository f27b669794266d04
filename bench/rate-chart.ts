/** Owns the chart of the report: rates as horizontal bars, a group for each race, as SVG that suits light and dark. */
import { formatNumber } from './report.ts';

export interface ChartGroup {
  readonly title: string;
  /** The first is ours. */
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

/** In pixels. */
const WIDTH = 860;
const LABEL = 240;
const FIGURE = 90;
const BAR = 18;
const GAP = 6;
const TITLE = 34;

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
rect { fill: #8c959f }
.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  rect { fill: #6e7681 }
  .ours { fill: #4493f8 }
}`;

/** Each group has a scale of its own. */
export function writeRateChart(groups: readonly ChartGroup[]): string {
  let y = 0;
  const parts = groups.map((group) => {
    const part = writeGroup(group, y);
    y += TITLE + group.bars.length * (BAR + GAP);
    return part;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + GAP}" role="img">
<title>Answers a second, ours and others</title>
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`;
}

function writeGroup({ title, bars }: ChartGroup, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ name, value }, index) => {
    const y = top + TITLE + index * (BAR + GAP);
    const width = Math.max(1, Math.round(((WIDTH - LABEL - FIGURE) * value) / most));
    const kind = index === 0 ? ' class="ours"' : '';
    return `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escapeText(name)}</text>
<rect${kind} x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>
<text x="${LABEL + width + 6}" y="${y + 14}">${formatNumber(value)}</text>`;
  });
  return `<text class="title" x="0" y="${top + 22}">${escapeText(title)}</text>\n${lines.join('\n')}`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
