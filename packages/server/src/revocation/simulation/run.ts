/**
 * Runs schedules and prints the first violation as JSON, or null.
 *
 *   node run.ts FIRST_SEED COUNT [MUTATION]
 */
import { explore } from './explore.ts';
import { mutations } from './mutations.ts';

const [first = '1', count = '1', name] = process.argv.slice(2);
const mutation = mutations.find((one) => one.name === name);
if (name !== undefined && mutation === undefined) throw new Error(`there is no mutation ${name}`);
console.log(JSON.stringify((await explore(Number(first), Number(count), mutation)) ?? null));
