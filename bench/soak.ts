/**
 * Runs every kind of traffic against one server for some minutes, and fails if a response is not the expected one or if
 * memory grows. It finds what short tests cannot: leaks and rare events.
 */
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { runSoak, type SoakResult } from './soak/run.ts';
import { writeSoak } from './soak/stored.ts';

/** MB by which the last fifth of the run may exceed the second: the heap fluctuates, and created keys stay. */
const growth = 30;

/** Shorter runs are not stored, and their memory is not checked, because the heap has not reached its final size. */
const leastMinutes = 2;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, help: { type: 'boolean' } },
});
const minutes = Number(values.minutes);

if (values.help) {
  console.log(
    `npm run soak -- [--minutes N]    default 5; from ${leastMinutes} minutes, the result is stored in bench/soak.json`,
  );
} else if (!(minutes > 0)) {
  console.error('--minutes must be a number above 0');
  process.exitCode = 1;
} else {
  console.error(`${minutes} minutes of traffic against a new server ...`);
  const outcome = await runSoak({ seconds: minutes * 60 });
  checkMemory(outcome);
  if (minutes >= leastMinutes) writeSoak(machine, outcome);
  print(outcome);
  if (outcome.wrong > 0) process.exitCode = 1;
}

function checkMemory(outcome: SoakResult): void {
  const { second, last } = outcome.memory;
  if (minutes < leastMinutes || last - second <= growth) return;
  outcome.wrong += 1;
  outcome.unexpected.push(`memory grew from ${second} to ${last} MB, more than ${growth} MB`);
}

function print({ requests, kinds, wrong, unexpected, memory, longest }: SoakResult): void {
  for (const [kind, outcomes] of Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const counts = Object.entries(outcomes).map(([outcome, count]) => `${outcome}: ${count}`);
    console.log(`${kind.padEnd(36)} ${counts.join(', ')}`);
  }
  console.log(`\n${requests} requests; the slowest response of /readyz took ${longest} ms`);
  console.log(
    `memory: ${memory.second} MB in the second fifth, ${memory.last} MB in the last fifth, at most ${memory.most} MB`,
  );
  console.log(
    wrong === 0
      ? 'Every response was as expected.'
      : `${wrong} responses or counts were wrong:\n${unexpected.join('\n')}`,
  );
}
