import { test } from 'node:test';
import { runInOwnProcess } from '../support/run-in-own-process.ts';

// One process and one server for all races: starting them takes longer than the races themselves.
test('a revoke or a change of a policy is in effect on every connection when it returns (ASVS 8.3.2), even after a rename or a cache eviction', async () => {
  const races = ['often', 'renamed', 'toggled', 'evicted'];
  await runInOwnProcess(new URL('revoke-race-run.ts', import.meta.url), races);
});
