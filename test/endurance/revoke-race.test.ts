import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Fails with what the race printed when it failed. */
async function raceApart(name: string): Promise<void> {
  const program = fileURLToPath(new URL('revoke-race-run.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [program, name]);
}

test('1,000 times: once a revoke was answered, no connection is served with the key (ASVS 8.3.2)', () =>
  raceApart('often'));

test('a rename before, during or after a revoke brings no old entry of the cache back', () =>
  raceApart('renamed'));

test('keys that the cache had to let go of, and read again, are dead at once all the same', () =>
  raceApart('evicted'));
