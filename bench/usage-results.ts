import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** ms. No request should take longer. */
export const usageGoalMs = 100;

/** All times in ms. */
const requestSchema = z.object({
  name: z.string(),
  median: z.number(),
  worst: z.number(),
  /** Median of the CPU time of the server, and of PostgreSQL. */
  cpu: z.number(),
});

const runSchema = z.object({
  database: z.enum(['sqlite', 'postgres']),
  days: z.number(),
  keys: z.number(),
  /** Requests of each kind. */
  rounds: z.number(),
  date: z.iso.date(),
  machine: z.string(),
  /** Load average before the requests. */
  load: z.number(),
  requests: z.array(requestSchema),
});

const runsSchema = z.array(runSchema);

export type UsageRun = z.infer<typeof runSchema>;

const file = new URL('usage.json', import.meta.url);

/** The content of bench/usage.json: the last run of each database and number of days. */
export function readUsageRuns(): UsageRun[] {
  return existsSync(file) ? runsSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
}

/** Replaces the run of the same database and number of days. */
export function writeUsageRun(run: UsageRun): void {
  const nameOf = ({ database, days }: UsageRun) =>
    `${database === 'sqlite' ? 0 : 1} ${String(days).padStart(5)}`;
  const others = readUsageRuns().filter((other) => nameOf(other) !== nameOf(run));
  const runs = [...others, run].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(runs, null, 2)}\n`);
}
