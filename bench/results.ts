import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What bench/results.json holds: the board of the last run that was kept. */
const resultsSchema = z.object({
  date: z.iso.date(),
  machine: z.string(),
  figures: z.array(
    z.object({
      name: z.string(),
      unit: z.string(),
      goal: z.string().optional(),
      how: z.string(),
      median: z.number(),
      least: z.number(),
      most: z.number(),
      runs: z.number(),
    }),
  ),
});

/** The figures as a table for the README, with the machine and the date. */
export function figuresTable(): string {
  const text = readFileSync(new URL('results.json', import.meta.url), 'utf8');
  const { date, machine, figures } = resultsSchema.parse(JSON.parse(text));
  const rows = figures.map(
    ({ name, median, unit, goal }) => `| ${name} | ${median} ${unit} | ${goal ?? ''} |`,
  );
  return `| figure | measured | goal |\n|---|---|---|\n${rows.join('\n')}\n\nMeasured on ${date} (${machine}) with \`npm run bench\`.`;
}
