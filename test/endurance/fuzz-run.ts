/**
 * Sends fuzzed requests from several clients at once and prints the results as JSON. It runs in a separate process
 * because the test runner tracks every promise, which makes it twice as slow.
 *
 *   node fuzz-run.ts URL PID COOKIES REQUESTS SEED...
 *
 * COOKIES contains one session cookie per line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Person } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { FuzzClient } from './fuzz-client.ts';

const [url = '', pid = '', cookies = '', requests = '', ...seeds] = process.argv.slice(2);
const sessions = cookies.split('\n').map((cookie) => new Person(url, cookie));
// Each client has its own random generator, so that a seed repeats the requests of each.
const fuzzClients = seeds.map((seed) => new FuzzClient(url, new Random(seed), sessions));
const send = async (count: number) =>
  Promise.all(fuzzClients.map((client) => client.run(Math.ceil(count / seeds.length))));

// The first tenth fills caches and other memory that does not grow further.
await send(Number(requests) * 0.1);
const before = memoryOf(pid);
await send(Number(requests) * 0.9);
const grown = before === null ? null : (memoryOf(pid) ?? 0) - before;
const seen: Record<string, number> = {};
for (const [outcome, times] of fuzzClients.flatMap((client) => [...client.seen]))
  seen[outcome] = (seen[outcome] ?? 0) + times;
console.log(JSON.stringify({ seen, grown, problems: fuzzClients.flatMap((client) => client.problems) }));

/** Resident bytes of a process, on systems with /proc. */
function memoryOf(process: string): number | null {
  const file = `/proc/${process}/statm`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) * 4096 : null;
}
