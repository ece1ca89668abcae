import { formatGoal, formatSpread, isReached, type Results, type StoredFigure } from './results.ts';
import type { StoredSoak } from './soak/stored.ts';

/** The figures that reached their goal as a table for the README, with the machine and the date. */
export function reachedFiguresTable({ machine, figures }: Results): string {
  const withGoal = figures.filter(({ goal }) => goal !== undefined);
  const reached = withGoal.filter((figure) => isReached(figure) === true);
  const rows = reached.map(
    (figure) => `| ${figure.name} | ${figure.median} ${figure.unit} | ${formatGoal(figure)} |`,
  );
  return `| figure | measured | goal |
|---|---|---|
${rows.join('\n')}

${reached.length} of ${withGoal.length} goals are reached. [How each figure is measured, and the missed goals](docs/benchmarks.md).

Measured ${datesOf(figures)} (${machine}) with \`npm run bench\`.`;
}

/** Every figure with the values behind it, for docs/benchmarks.md. */
export function figureSections({ machine, figures }: Results): string {
  const sections = figures.map((figure) => {
    const { name, median, unit, sides = [], how, group } = figure;
    const notes = [formatSpread(figure), formatGoal(figure) && `goal: ${formatGoal(figure)}`];
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

function sidesTable(sides: NonNullable<StoredFigure['sides']>): string {
  const rows = sides.map(({ name, median, unit, least, most }) => {
    // Requests are handled one after the other, so k/s converts to microseconds per request.
    const each = unit.startsWith('k/') ? ` (${Number((1000 / median).toPrecision(3))} us each)` : '';
    return `| ${name} | ${median} ${unit}${each} | ${least} to ${most} |`;
  });
  return `| | median | spread |\n|---|---|---|\n${rows.join('\n')}`;
}

function datesOf(figures: readonly StoredFigure[]): string {
  const dates = figures.map(({ date }) => date).sort();
  const [first, last] = [dates.at(0), dates.at(-1)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

/** A summary of the last stored soak run, or an empty text if there is none. */
export function soakSummary(soak: StoredSoak | undefined): string {
  if (soak === undefined) return '';
  const { date, machine, seconds, requests, kinds, wrong, memory, longest } = soak;
  const rows = Object.entries(kinds)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, outcomes]) => {
      const counts = Object.entries(outcomes).map(([outcome, count]) => `\`${outcome}\` ${count}`);
      return `| ${kind} | ${counts.join(', ')} |`;
    });
  const faults =
    wrong === 0 ? 'Every response was as expected' : `**${wrong} responses or counts were wrong**`;
  return `${seconds / 60} minutes on ${date} (${machine}): ${requests} requests. ${faults}. Memory: ${memory.second} MB in the second fifth of the run, ${memory.last} MB in the last fifth. The slowest response of \`/readyz\` took ${longest} ms.

| request | responses |
|---|---|
${rows.join('\n')}`;
}
