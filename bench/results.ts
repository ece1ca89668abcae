import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type Figure, median } from './figure.ts';

const spreadSchema = z.object({ median: z.number(), least: z.number(), most: z.number() });

const figureSchema = spreadSchema.extend({
  /** The group that it was measured with: `npm run bench -- GROUP`. */
  group: z.string(),
  name: z.string(),
  unit: z.string(),
  goal: z.union([z.object({ atLeast: z.number() }), z.object({ below: z.number() })]).optional(),
  how: z.string(),
  date: z.iso.date(),
  runs: z.number(),
  sides: z.array(spreadSchema.extend({ name: z.string(), unit: z.string() })).optional(),
});

/** The content of bench/results.json: the last measurement of each figure, all on one machine. */
const resultsSchema = z.object({ machine: z.string(), figures: z.array(figureSchema) });

export type StoredFigure = z.infer<typeof figureSchema>;
export type Results = z.infer<typeof resultsSchema>;

const file = new URL('results.json', import.meta.url);

export function readResults(): Results {
  return resultsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function writeResults(results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Converts a measured figure to the form in which it is stored. */
export function toStoredFigure(
  group: string,
  date: string,
  { values, sides, ...figure }: Figure,
): StoredFigure {
  return {
    group,
    ...figure,
    date,
    ...spreadOf(values),
    runs: values.length,
    ...(sides && {
      sides: sides.map(({ values: own, ...side }) => ({ ...side, ...spreadOf(own) })),
    }),
  };
}

function spreadOf(values: readonly number[]): z.infer<typeof spreadSchema> {
  return {
    median: rounded(median(values)),
    least: rounded(Math.min(...values)),
    most: rounded(Math.max(...values)),
  };
}

/** Three significant digits; more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Whether the median reaches the goal; undefined if the figure has none. */
export function isReached({ goal, median }: Pick<StoredFigure, 'goal' | 'median'>): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'below' in goal ? median < goal.below : median >= goal.atLeast;
}

/** `at least 90, reached`, or an empty text without a goal. */
export function formatGoal(figure: StoredFigure): string {
  const { goal } = figure;
  if (goal === undefined) return '';
  const aim = 'below' in goal ? `under ${goal.below}` : `at least ${goal.atLeast}`;
  return `${aim}, ${isReached(figure) ? 'reached' : '**missed**'}`;
}

/** `91.5 to 95.5 in 5 runs`, or an empty text for one run. */
export function formatSpread({ least, most, runs }: StoredFigure): string {
  return runs > 1 ? `${least} to ${most} in ${runs} runs` : '';
}
