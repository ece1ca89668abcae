/**
 * Measures the figures, prints them as a board, and keeps them in bench/results.json, from which the documents take
 * theirs. Without it a figure in a document would be a claim of some day on some machine that nobody can repeat.
 */
import { parseArgs } from 'node:util';
import { full, quick, type Sizes } from './figure.ts';
import { groups } from './groups.ts';
import { machine, NotHere } from './machine.ts';
import { goalInWords, type KeptFigure, keep, readResults, spreadInWords, writeResults } from './results.ts';
import { removeSeeded } from './seeded.ts';

const help = `npm run bench -- [NAME ...] [--quick]

Measures what is named, or everything, and keeps it in bench/results.json. Everything takes about half an hour, and means
something only on a machine that does nothing else. docs/benchmarks.md tells how it is measured.

  --list    the names
  --quick   small and short, to see whether the programs work; keeps nothing
  --clean   removes the databases that were made for it (see the system's temporary directory)
  --help    this text
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
else if (options.clean) for (const directory of removeSeeded()) console.log(`removed ${directory}`);
else await run(names.length === 0 ? Object.keys(groups) : names, options.quick ? quick : full);

async function run(wanted: readonly string[], sizes: Sizes): Promise<void> {
  const keeps = sizes === full;
  const refusal = whyNot(wanted, keeps);
  if (refusal !== undefined) return fail(refusal);
  console.log(`\nSoku API Keys, ${today()}\n${machine}\n${keeps ? '' : '--quick: these are no figures\n'}`);
  const problems: string[] = [];
  for (const name of wanted) {
    console.error(`measuring: ${name} ...`);
    try {
      const figures = await measure(name, sizes);
      for (const figure of figures) print(figure);
      if (keeps) merge(name, figures);
    } catch (error) {
      // The others are still worth measuring.
      problems.push(`${name}: ${explain(error)}`);
    }
  }
  if (problems.length > 0) fail(`\nNot measured:\n${problems.join('\n')}`);
  if (keeps) console.log('\nKept in bench/results.json. Now: npm run docs');
  // Ends servers that a failed measurement has left, too.
  process.exit();
}

/** Why these cannot be measured and kept. */
function whyNot(wanted: readonly string[], keeps: boolean): string | undefined {
  const all = Object.keys(groups);
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) return `There is no ${unknown}. The names: ${all.join(', ')}`;
  if (keeps && wanted.length < all.length && readResults().machine !== machine) {
    return 'bench/results.json has the figures of another machine. Measure everything, or take --quick.';
  }
  return undefined;
}

function explain(error: unknown): string {
  if (error instanceof NotHere) return `left out, because ${error.message}`;
  console.error(error);
  return String(error);
}

async function measure(name: string, sizes: Sizes): Promise<KeptFigure[]> {
  const figures = (await groups[name]?.measure(sizes)) ?? [];
  return figures.map((figure) => keep(name, today(), figure));
}

/** Puts the figures of a group in place of its former ones. Those of another machine go. */
function merge(group: string, figures: readonly KeptFigure[]): void {
  const former = readResults();
  const others = former.machine === machine ? former.figures.filter((figure) => figure.group !== group) : [];
  const order = Object.keys(groups);
  const all = [...others, ...figures].filter((figure) => order.includes(figure.group));
  writeResults({ machine, figures: all.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group)) });
}

function print(figure: KeptFigure): void {
  const { name, median, unit, sides = [] } = figure;
  const goal = goalInWords(figure).replaceAll('*', '');
  const spread = spreadInWords(figure);
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
