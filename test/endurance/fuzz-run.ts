/**
 * Sends odd requests from several clients at the same time, and prints what was answered as JSON. A process of its own,
 * because the tests' runner follows every promise, which makes all of this twice as slow.
 *
 *   node fuzz-run.ts URL PID COOKIES REQUESTS SEED...
 *
 * COOKIES has the cookie of a session in each line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Person } from '../support/person.ts';
import { Random } from '../support/random.ts';
import { FuzzClient } from './fuzz-client.ts';

const [url = '', pid = '', cookies = '', requests = '', ...seeds] = process.argv.slice(2);
const sessions = cookies.split('\n').map((cookie) => new Person(url, cookie));
// Each has its own random choices, so that a seed gives each the same requests again.
const all = seeds.map((seed) => new FuzzClient(url, new Random(seed), sessions));
const send = async (count: number) =>
  Promise.all(all.map((client) => client.run(Math.ceil(count / seeds.length))));

// The first tenth fills what a server fills once, such as caches.
await send(Number(requests) * 0.1);
const before = memoryOf(pid);
await send(Number(requests) * 0.9);
const grown = before === null ? null : (memoryOf(pid) ?? 0) - before;
const seen: Record<string, number> = {};
for (const [what, times] of all.flatMap((client) => [...client.seen])) seen[what] = (seen[what] ?? 0) + times;
console.log(JSON.stringify({ seen, grown, problems: all.flatMap((client) => client.problems) }));

/** Resident bytes of a process, where the system tells them in a file. */
function memoryOf(process: string): number | null {
  const file = `/proc/${process}/statm`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) * 4096 : null;
}
