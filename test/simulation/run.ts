/**
 * Runs schedules and prints a JSON list with the first violation, or null, for each named mutation. Without a mutation
 * it runs the unchanged protocol and, unless COUNT is 1, also in the schedules that are known to expose a mutation.
 *
 *   node run.ts FIRST_SEED COUNT [MUTATION...]
 */
import { explore, type FoundViolation } from './explore.ts';
import { mutations } from './mutations.ts';

const [first = '1', count = '1', ...names] = process.argv.slice(2);
const chosen = names.map((name) => {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`unknown mutation: ${name}`);
  return mutation;
});
const seeds = Array.from({ length: Number(count) }, (_, i) => Number(first) + i);
const found: (FoundViolation | null)[] = [];
if (chosen.length === 0) {
  const known = seeds.length === 1 ? [] : mutations.map(({ exposedBy }) => exposedBy);
  found.push((await explore([...new Set([...known, ...seeds])])) ?? null);
}
for (const mutation of chosen) {
  const known = await explore([mutation.exposedBy], mutation);
  found.push(known ?? (await explore(seeds, mutation)) ?? null);
}
console.log(JSON.stringify(found));
