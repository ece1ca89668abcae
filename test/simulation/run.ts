/**
 * Runs schedules and prints a JSON list with the first violation, or null, for each named mutation. Without a mutation
 * it runs the unchanged protocol.
 *
 *   node run.ts FIRST_SEED COUNT [MUTATION...]
 */
import { explore, type Found } from './explore.ts';
import { mutations } from './mutations.ts';

const [first = '1', count = '1', ...names] = process.argv.slice(2);
const chosen = names.map((name) => {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`unknown mutation: ${name}`);
  return mutation;
});
const found: (Found | null)[] = [];
for (const mutation of chosen.length === 0 ? [undefined] : chosen) {
  found.push((await explore(Number(first), Number(count), mutation)) ?? null);
}
console.log(JSON.stringify(found));
