import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RequestError } from '../http/errors.ts';
import { PasswordGate } from './password-gate.ts';
import { maxConcurrentHashes } from './password-hasher.ts';

test('queued guesses are not checked after too many wrong ones', async () => {
  const gate = new PasswordGate();
  let checked = 0;
  const guess = async (number: number) => {
    const address = `192.0.2.${number}`;
    const client = { address, network: address, signal: new AbortController().signal };
    return gate.signIn({ email: 'ada@example.com', device: undefined }, client, async () => {
      checked += 1;
      await turn();
      return new Response(null, { status: 401 });
    });
  };
  const all = await Promise.allSettled(Array.from({ length: 30 }, (_, number) => guess(number)));
  const codes = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  assert.ok(codes.every((error) => error instanceof RequestError && error.problem.code === 'rate_limited'));
  assert.equal(codes.length, 30 - checked);
  // Those that are checked at the same time do not know of each other.
  assert.ok(checked >= 10 && checked < 10 + maxConcurrentHashes, `${checked} were checked`);
});
