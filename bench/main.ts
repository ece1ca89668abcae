/**
 * Measures the figures, prints them, and stores them in bench/results.json, the source of all figures in the
 * documentation. Prevents figures in the documentation that no one can reproduce.
 */
import { parseArgs } from 'node:util';
import { fullSizes, quickSizes, type Sizes } from './figure.ts';
import { groups } from './groups.ts';
import { machine, UnsupportedMachineError } from './machine.ts';
import {
  formatGoal,
  formatSpread,
  readResults,
  type StoredFigure,
  toStoredFigure,
  writeResults,
} from './results.ts';
import { removeSeededDataDirs } from './seeded.ts';

const help = `npm run bench -- [NAME ...] [--quick]

Measures the named groups, or all of them, and writes bench/results.json. All groups take about half an hour.
The results are meaningful only on an idle machine. docs/benchmarks.md describes the method.

  --list    list the groups
  --quick   run small and short, to check that the programs work; stores nothing
  --clean   remove the databases that the bench created in the system's temporary directory
  --help    show this text
`;

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    quick: { type: 'boolean' },
    clean: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

if (options.help) console.log(help);
else if (options.list)
  for (const [name, { about }] of Object.entries(groups)) console.log(`${name.padEnd(20)}${about}`);
else if (options.clean) for (const directory of removeSeededDataDirs()) console.log(`removed ${directory}`);
else await run(names.length === 0 ? Object.keys(groups) : names, options.quick ? quickSizes : fullSizes);

async function run(wanted: readonly string[], sizes: Sizes): Promise<void> {
  const keeps = sizes === fullSizes;
  const problem = problemWith(wanted, keeps);
  if (problem !== undefined) return fail(problem);
  console.log(
    `\nSoku API Keys, ${today()}\n${machine}\n${keeps ? '' : '--quick: these are not valid figures\n'}`,
  );
  const problems: string[] = [];
  for (const name of wanted) {
    console.error(`measuring: ${name} ...`);
    try {
      const figures = await measure(name, sizes);
      for (const figure of figures) print(figure);
      if (keeps) merge(name, figures);
    } catch (error) {
      // The other groups can still be measured.
      problems.push(`${name}: ${explain(error)}`);
    }
  }
  if (problems.length > 0) fail(`\nNot measured:\n${problems.join('\n')}`);
  if (keeps) console.log('\nStored in bench/results.json. Next, run: npm run docs');
  // Also ends servers that a failed measurement left running.
  process.exit();
}

/** Why these groups cannot be measured and stored; undefined if they can. */
function problemWith(wanted: readonly string[], keeps: boolean): string | undefined {
  const all = Object.keys(groups);
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) return `Unknown group: ${unknown}. Groups: ${all.join(', ')}`;
  if (keeps && wanted.length < all.length && readResults().machine !== machine) {
    return 'bench/results.json has figures from another machine. Measure all groups, or use --quick.';
  }
  return undefined;
}

function explain(error: unknown): string {
  if (error instanceof UnsupportedMachineError) return `skipped: ${error.message}`;
  console.error(error);
  return String(error);
}

async function measure(name: string, sizes: Sizes): Promise<StoredFigure[]> {
  const figures = (await groups[name]?.measure(sizes)) ?? [];
  return figures.map((figure) => toStoredFigure(name, today(), figure));
}

/** Replaces the stored figures of a group. Drops figures of another machine. */
function merge(group: string, figures: readonly StoredFigure[]): void {
  const stored = readResults();
  const others = stored.machine === machine ? stored.figures.filter((figure) => figure.group !== group) : [];
  const order = Object.keys(groups);
  const all = [...others, ...figures].filter((figure) => order.includes(figure.group));
  writeResults({ machine, figures: all.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group)) });
}

function print(figure: StoredFigure): void {
  const { name, median, unit, sides = [] } = figure;
  const goal = formatGoal(figure).replaceAll('*', '');
  const spread = formatSpread(figure);
  console.log(`${name.padEnd(56)} ${String(median).padStart(8)} ${unit}`);
  const notes = [spread, goal && `goal: ${goal}`].filter((note) => note !== '');
  if (notes.length > 0) console.log(`    ${notes.join('; ')}`);
  for (const side of sides) {
    console.log(
      `    ${side.name.padEnd(52)} ${String(side.median).padStart(8)} ${side.unit}  (${side.least} to ${side.most})`,
    );
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
