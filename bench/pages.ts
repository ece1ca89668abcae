import { goalInWords, type KeptFigure, type Results, spreadInWords } from './results.ts';
import type { Soak } from './soak/kept.ts';

/** The figures with a goal as a table for the README, with the machine and the date. */
export function figuresTable({ machine, figures }: Results): string {
  const rows = figures
    .filter(({ goal }) => goal !== undefined)
    .map((figure) => `| ${figure.name} | ${figure.median} ${figure.unit} | ${goalInWords(figure)} |`);
  return `| figure | measured | goal |\n|---|---|---|\n${rows.join('\n')}\n\nMeasured ${datesOf(figures)} (${machine}) with \`npm run bench\`.`;
}

/** Every figure with what it was made of, for docs/benchmarks.md. */
export function figuresInFull({ machine, figures }: Results): string {
  const sections = figures.map((figure) => {
    const { name, median, unit, sides = [], how, group } = figure;
    const notes = [spreadInWords(figure), goalInWords(figure) && `goal: ${goalInWords(figure)}`];
    const about = notes.filter((note) => note !== '').join('; ');
    return [
      `### ${name}`,
      `**${median} ${unit}**${about === '' ? '' : ` (${about})`}`,
      ...(sides.length === 0 ? [] : [sidesTable(sides)]),
      `${how} \`npm run bench -- ${group}\``,
    ].join('\n\n');
  });
  return `Measured ${datesOf(figures)} on ${machine}.\n\n${sections.join('\n\n')}`;
}

function sidesTable(sides: NonNullable<KeptFigure['sides']>): string {
  const rows = sides.map(({ name, median, unit, least, most }) => {
    // One request after the other: so many thousands a second are so many microseconds each.
    const each = unit === 'k/s' ? ` (${Number((1000 / median).toPrecision(3))} us each)` : '';
    return `| ${name} | ${median} ${unit}${each} | ${least} to ${most} |`;
  });
  return `| | median | spread |\n|---|---|---|\n${rows.join('\n')}`;
}

function datesOf(figures: readonly KeptFigure[]): string {
  const dates = figures.map(({ date }) => date).sort();
  const [first, last] = [dates.at(0), dates.at(-1)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

/** The last soak that was kept. */
export function soakInWords(soak: Soak | undefined): string {
  if (soak === undefined) return '';
  const { date, machine, seconds, requests, kinds, wrong, memory, longest } = soak;
  const rows = Object.entries(kinds)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, outcomes]) => {
      const counts = Object.entries(outcomes).map(([outcome, count]) => `\`${outcome}\` ${count}`);
      return `| ${kind} | ${counts.join(', ')} |`;
    });
  const faults =
    wrong === 0 ? 'Everything was as it must be' : `**${wrong} things were not as they must be**`;
  return `${seconds / 60} minutes on ${date} (${machine}): ${requests} requests. ${faults}. Memory: ${memory.second} MB in the second fifth of the time, ${memory.last} MB in the last. The longest answer of \`/readyz\` took ${longest} ms.

| request | answers |
|---|---|
${rows.join('\n')}`;
}
