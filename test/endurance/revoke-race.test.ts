import { test } from 'node:test';
import { runInOwnProcess } from '../support/run-in-own-process.ts';

// One process and one server for all races: starting them takes longer than the races themselves.
test('time after time: once a revoke has returned, no connection is served with the key (ASVS 8.3.2), and neither a rename nor a key that the cache evicted and read again brings it back', async () => {
  await runInOwnProcess(new URL('revoke-race-run.ts', import.meta.url), ['often', 'renamed', 'evicted']);
});
