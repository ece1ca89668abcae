/**
 * Prints the board of figures, and writes it to bench/results.json, from which the documents take theirs.
 * Without it a figure in a document would be a claim of some day on some machine that nobody can repeat.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dashboardSize } from './dashboard-size.ts';
import { type Figure, median } from './figure.ts';
import { idleMemory } from './idle-memory.ts';
import { startTime } from './start-time.ts';

const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
const date = new Date().toISOString().slice(0, 10);

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

const figures: Figure[] = [];
for (const measure of [dashboardSize, startTime, idleMemory]) {
  console.error(`measuring: ${measure.name} ...`);
  figures.push(...(await measure()));
}

console.log(`\nSoku API Keys, ${date}\n${machine}\n`);
for (const { name, values, unit, goal } of figures) {
  const spread =
    values.length > 1
      ? `  (${rounded(Math.min(...values))} to ${rounded(Math.max(...values))}, ${values.length} runs)`
      : '';
  console.log(
    `${name.padEnd(30)} ${String(rounded(median(values))).padStart(8)} ${unit.padEnd(8)} goal: ${goal ?? 'none'}${spread}`,
  );
}
const results = {
  date,
  machine,
  figures: figures.map(({ values, ...figure }) => ({
    ...figure,
    median: rounded(median(values)),
    least: rounded(Math.min(...values)),
    most: rounded(Math.max(...values)),
    runs: values.length,
  })),
};
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
