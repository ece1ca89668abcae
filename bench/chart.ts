import type { StoredFigure } from './results.ts';

/** In px. Browsers scale the image. */
const width = 760;
const margin = 20;
const labelWidth = 200;
const valueWidth = 130;
const barHeight = 16;
const barGap = 6;
const titleHeight = 28;
const panelGap = 22;
const barsAt = margin + labelWidth;
const barsWidth = width - barsAt - valueWidth - margin;

interface Bar {
  label: string;
  value: number;
  text: string;
  ours: boolean;
}

interface Panel {
  title: string;
  bars: Bar[];
  /** Position of the goal on the axis of the bars. */
  goal: { value: number; text: string };
}

/**
 * The figures with a goal as bars, one panel per figure, with the goal as a dashed line. Each panel has its own axis,
 * which starts at 0. The colors follow the reader's light or dark mode.
 */
export function renderChart(figures: readonly StoredFigure[]): string {
  const panels = figures.flatMap((figure) => panelOf(figure) ?? []);
  let top = margin;
  const drawn = panels.map((panel) => {
    const text = draw(panel, top);
    top += heightOf(panel) + panelGap;
    return text;
  });
  const height = top - panelGap + margin;
  const words = panels.map(
    ({ title, bars }) => `${title}: ${bars.map(({ label, text }) => `${label} ${text}`).join(', ')}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">Figures of Soku API Keys and their goals</title>
<desc id="description">${escapeXml(words.join('. '))}</desc>
<style>
  .paper { fill: #ffffff; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .goal { fill: #57606a; }
  .ours { fill: #3257d6; }
  .theirs { fill: #b4bac4; }
  .axis { stroke: #57606a; }
  .aim { stroke: #24292f; stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; }
    text { fill: #e6edf3; }
    .goal { fill: #9198a1; }
    .ours { fill: #7d9bff; }
    .theirs { fill: #565f6b; }
    .axis { stroke: #9198a1; }
    .aim { stroke: #e6edf3; }
  }
</style>
<rect class="paper" width="${width}" height="${height}" rx="6"/>
${drawn.join('\n')}
</svg>
`;
}

/** Undefined for a figure without a goal. */
function panelOf({ name, goal, unit, median, sides = [] }: StoredFigure): Panel | undefined {
  if (goal === undefined) return undefined;
  const aim = 'below' in goal ? goal.below : goal.atLeast;
  const words = `goal: ${'below' in goal ? 'under' : 'at least'} ${aim} ${unit}`;
  const yardstick = sides.at(-1);
  if (yardstick === undefined) {
    const bar = { label: 'Soku', value: median, text: `${median} ${unit}`, ours: true };
    return { title: name, bars: [bar], goal: { value: aim, text: words } };
  }
  const bars = sides.map((side, i) => ({
    label: side.name,
    value: side.median,
    text: `${side.median} ${side.unit}`,
    ours: i === 0,
  }));
  // The goal of a ratio, in the unit of the yardstick's bar.
  const factor = unit.startsWith('%') ? aim / 100 : aim;
  return {
    title: `${name}: ${median} ${unit}`,
    bars,
    goal: { value: yardstick.median * factor, text: words },
  };
}

function heightOf({ bars }: Panel): number {
  return titleHeight + bars.length * (barHeight + barGap);
}

function draw(panel: Panel, top: number): string {
  const { title, bars, goal } = panel;
  const longest = Math.max(goal.value, ...bars.map(({ value }) => value));
  const x = (value: number) => barsAt + Math.round((value / longest) * barsWidth * 10) / 10;
  const first = top + titleHeight;
  const bottom = top + heightOf(panel) - barGap;
  const rows = bars.map(({ label, value, text, ours }, i) => {
    const y = first + i * (barHeight + barGap);
    const base = y + barHeight - 4;
    return `<text x="${barsAt - 10}" y="${base}" text-anchor="end">${escapeXml(label)}</text>
<rect class="${ours ? 'ours' : 'theirs'}" x="${barsAt}" y="${y}" width="${(x(value) - barsAt).toFixed(1)}" height="${barHeight}"/>
<text x="${width - margin}" y="${base}" text-anchor="end">${escapeXml(text)}</text>`;
  });
  return `<text class="title" x="${margin}" y="${top + 14}">${escapeXml(title)}</text>
<text class="goal" x="${width - margin}" y="${top + 14}" text-anchor="end">${escapeXml(goal.text)}</text>
${rows.join('\n')}
<path class="axis" d="M${barsAt} ${first - 3}V${bottom + 3}"/>
<path class="aim" d="M${x(goal.value)} ${first - 3}V${bottom + 3}"/>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
