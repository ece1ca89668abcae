/**
 * Runs schedules and prints the first violation as JSON, or null: in a list, of each mutation that is named, or of the
 * protocol as it is when none is.
 *
 *   node run.ts FIRST_SEED COUNT [MUTATION...]
 */
import { explore, type Found } from './explore.ts';
import { mutations } from './mutations.ts';

const [first = '1', count = '1', ...names] = process.argv.slice(2);
const chosen = names.map((name) => {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation === undefined) throw new Error(`there is no mutation ${name}`);
  return mutation;
});
const seeds = [Number(first), Number(count)] as const;
const found: (Found | null)[] = [];
if (chosen.length === 0) found.push((await explore(...seeds)) ?? null);
for (const mutation of chosen) {
  const known = await explore(mutation.shownBy, 1, mutation);
  found.push(known ?? (await explore(...seeds, mutation)) ?? null);
}
console.log(JSON.stringify(found));
