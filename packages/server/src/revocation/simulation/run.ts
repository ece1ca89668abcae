/**
 * Runs schedules and prints the first violation as JSON, or null.
 *
 *   node run.ts FIRST_SEED COUNT
 */
import { explore } from './explore.ts';

const [first = '1', count = '1'] = process.argv.slice(2);
console.log(JSON.stringify((await explore(Number(first), Number(count))) ?? null));
