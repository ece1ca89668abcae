/**
 * Sends odd requests from several clients at the same time, and prints what was answered as JSON. A process of its own,
 * because the tests' runner follows every promise, which makes all of this twice as slow.
 *
 *   node fuzz-run.ts URL REQUESTS SEED...
 */
import { Random } from '../support/random.ts';
import { FuzzClient } from './fuzz-client.ts';

const [url = '', requests = '', ...seeds] = process.argv.slice(2);
// Each has its own random choices, so that a seed gives each the same requests again.
const all = seeds.map((seed, i) => new FuzzClient(url, new Random(seed), i));
await Promise.all(all.map((client) => client.run(Math.ceil(Number(requests) / seeds.length))));
const seen: Record<string, number> = {};
for (const [what, times] of all.flatMap((client) => [...client.seen])) seen[what] = (seen[what] ?? 0) + times;
console.log(JSON.stringify({ seen, problems: all.flatMap((client) => client.problems) }));
