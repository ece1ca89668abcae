import { test } from 'node:test';
import { runInOwnProcess } from '../support/run-in-own-process.ts';

// One process and one server for all races: starting them takes longer than the races themselves.
test('after a revoke returns, the key is rejected on every connection (ASVS 8.3.2), even after a rename or a cache eviction', async () => {
  await runInOwnProcess(new URL('revoke-race-run.ts', import.meta.url), ['often', 'renamed', 'evicted']);
});
