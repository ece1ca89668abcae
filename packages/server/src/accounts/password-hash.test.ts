import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPassword as hashByLibrary } from 'better-auth/crypto';
import { hashPassword, verifyPassword } from './password-hash.ts';

/** CPU time of this thread for a wrong password, in microseconds. It does not depend on what else the machine does. */
function costOfWrongPassword(stored: string): number {
  const costs = [1, 2].map(() => {
    const before = process.threadCpuUsage();
    assert.deepEqual(verifyPassword('another one', stored), { matches: false });
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  });
  return Math.min(...costs);
}

test('a wrong password takes as long with an older hash as with a current one', async () => {
  const current = costOfWrongPassword(hashPassword('correct horse battery'));
  const former = costOfWrongPassword(await hashByLibrary('correct horse battery'));
  // Without the additional work it is a third.
  assert.ok(former > 0.6 * current && former < 1.6 * current, `${former} instead of ${current} µs`);
});
