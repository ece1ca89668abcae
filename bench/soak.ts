/**
 * Holds one server under traffic of every kind for some minutes, and fails when an answer is not the one that its
 * kind has, or when memory grows. What no short test finds is found here: leaks, and what happens once in an hour.
 */
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { writeSoak } from './soak/kept.ts';
import { type Outcome, runSoak } from './soak/run.ts';

/** MB that the last fifth of the time may be above the second: the heap breathes, and keys that were made stay. */
const growth = 30;

/** Below this memory says nothing, because the heap has not yet found its size; and the outcome is not kept. */
const leastMinutes = 2;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, help: { type: 'boolean' } },
});
const minutes = Number(values.minutes);

if (values.help) {
  console.log(
    `npm run soak -- [--minutes N]    default 5; from ${leastMinutes} on it is kept in bench/soak.json`,
  );
} else if (!(minutes > 0)) {
  console.error('--minutes takes a number above 0');
  process.exitCode = 1;
} else {
  console.error(`${minutes} minutes of traffic on a server of its own ...`);
  const outcome = await runSoak({ seconds: minutes * 60 });
  judgeMemory(outcome);
  if (minutes >= leastMinutes) writeSoak(machine, outcome);
  print(outcome);
  if (outcome.wrong > 0) process.exitCode = 1;
}

function judgeMemory(outcome: Outcome): void {
  const { second, last } = outcome.memory;
  if (minutes < leastMinutes || last - second <= growth) return;
  outcome.wrong += 1;
  outcome.unexpected.push(`memory grew from ${second} to ${last} MB, more than ${growth} MB`);
}

function print({ requests, kinds, wrong, unexpected, memory, longest }: Outcome): void {
  for (const [kind, outcomes] of Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const counts = Object.entries(outcomes).map(([outcome, count]) => `${outcome}: ${count}`);
    console.log(`${kind.padEnd(36)} ${counts.join(', ')}`);
  }
  console.log(`\n${requests} requests; the longest answer of /readyz took ${longest} ms`);
  console.log(
    `memory: ${memory.second} MB in the second fifth, ${memory.last} MB in the last, at most ${memory.most} MB`,
  );
  console.log(
    wrong === 0
      ? 'Everything was as it must be.'
      : `${wrong} things were not as they must be:\n${unexpected.join('\n')}`,
  );
}
