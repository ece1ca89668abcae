import { test } from 'node:test';
import { runInOwnProcess } from '../support/run-in-own-process.ts';

/** Runs a race in a separate process; fails with its output if it fails. */
async function runRace(name: string): Promise<void> {
  await runInOwnProcess(new URL('revoke-race-run.ts', import.meta.url), [name]);
}

test('after a revoke returns, the key is rejected on every connection (ASVS 8.3.2)', () =>
  runRace('often'));

test('a rename before, during or after a revoke does not put the key back into the cache', () =>
  runRace('renamed'));

test('a revoke takes effect immediately for keys that the cache has evicted and read again', () =>
  runRace('evicted'));
