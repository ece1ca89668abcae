import { test } from 'node:test';
import { runInOwnProcess } from '../support/run-in-own-process.ts';

/** Fails with what the race printed when it failed. */
async function raceApart(name: string): Promise<void> {
  await runInOwnProcess(new URL('revoke-race-run.ts', import.meta.url), [name]);
}

test('time after time: once a revoke was answered, no connection is served with the key (ASVS 8.3.2)', () =>
  raceApart('often'));

test('a rename before, during or after a revoke brings no old entry of the cache back', () =>
  raceApart('renamed'));

test('keys that the cache had to let go of, and read again, are dead at once all the same', () =>
  raceApart('evicted'));
