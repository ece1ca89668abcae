import { formatGoal, formatSpread, isReached, type Results, type StoredFigure } from './results.ts';
import type { StoredSoak } from './soak/stored.ts';
import { type UsageRun, usageGoalMs } from './usage-results.ts';

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

The table lists the goals that are reached, ${reached.length} of ${withGoal.length}. [How each figure is measured, and the missed goals](docs/benchmarks.md).

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

/** The figures of the scanner, for docs/scan.md. */
export function scanSection({ machine, figures }: Results): string {
  const own = figures.filter(({ group }) => group === 'scan');
  const [found, ...times] = own;
  if (found === undefined) return '';
  const rows = times.map(
    (figure) => `| ${figure.name} | ${figure.median} ${figure.unit} | ${formatSpread(figure)} |`,
  );
  const places = (found.sides ?? []).map(({ name, median, unit }) => `| ${name} | ${median} ${unit} |`);
  return `Measured ${datesOf(own)} on ${machine} with \`npm run bench -- scan\`. ${times[0]?.how ?? ''}

| | median | spread |
|---|---|---|
${rows.join('\n')}

The scanner finds ${found.median} ${found.unit} planted keys. The last rows are places where it is known not to find keys:

| place | found |
|---|---|
${places.join('\n')}`;
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

/** With a higher load average, other work on the machine decides how long a request takes. */
const quietLoad = 4;

/** The times of each request for usage, for docs/usage.md; an empty text if none are stored. */
export function usageSection(runs: readonly UsageRun[]): string {
  if (runs.length === 0) return '';
  const titleOf = ({ database, days }: UsageRun) =>
    `${database === 'sqlite' ? 'SQLite' : 'PostgreSQL'}, ${days} days`;
  const names = [...new Set(runs.flatMap(({ requests }) => requests.map(({ name }) => name)))];
  const rows = names.map((name) => {
    const cells = runs.map(({ requests, load }) => {
      const request = requests.find((one) => one.name === name);
      if (request === undefined) return '';
      return load > quietLoad ? request.cpu : `${request.cpu} / ${request.median} / ${request.worst}`;
    });
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  const conditions = runs.map((run) => {
    const { date, machine, load, keys, rounds, requests } = run;
    const slow = requests.filter(({ cpu, worst }) => (load > quietLoad ? cpu : worst) >= usageGoalMs).length;
    const busy = load > quietLoad ? ', so only CPU time is shown' : '';
    return `- ${titleOf(run)}: ${date}, ${machine}, load average ${load}${busy}. ${keys.toLocaleString('en')} keys, ${rounds} requests of each kind. ${slow} of ${requests.length} kinds ${load > quietLoad ? 'need more CPU time than the goal' : 'miss the goal'}.`;
  });
  return `In ms: the median of the CPU time of the server and PostgreSQL, the median of the time until the response was read, and the worst time. The goal is less than ${usageGoalMs} ms.

| request | ${runs.map(titleOf).join(' | ')} |
|---${'|---'.repeat(runs.length)}|
${rows.join('\n')}

${conditions.join('\n')}`;
}
