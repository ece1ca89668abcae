import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSoak } from '../../bench/soak/run.ts';

/** What each kind of request must have been answered at least once. */
const expected: Record<string, string> = {
  'good key, asked by a proxy': '204',
  'good key, asked by its program': '200',
  'good key, asked by a back end': '200',
  'key that was just made': '204',
  'key that was just revoked': '401 revoked_key',
  'revoked key': '401 revoked_key',
  'revoked key, asked by a back end': '200',
  'unknown key': '401 unknown_key',
  'malformed key': '429 rate_limited',
  'no key': '401 missing_authorization',
  rename: '200',
  health: '200',
};

type Kinds = Awaited<ReturnType<typeof runSoak>>['kinds'];

/** The kinds that were not yet answered as they must be at least once. */
const missing = (kinds: Kinds) =>
  Object.entries(expected).filter(([kind, outcome]) => (kinds[kind]?.[outcome] ?? 0) === 0);

test('under traffic of every kind at once, each answer is the one that its kind must have, and every use is counted', async (t) => {
  const { wrong, unexpected, kinds, requests } = await runSoak({
    seconds: 2,
    share: 0.4,
    isEnough: (answered) => missing(answered).length === 0,
  });
  t.diagnostic(`${requests} requests`);
  assert.deepEqual(unexpected, []);
  assert.equal(wrong, 0);
  assert.deepEqual(missing(kinds), []);
});
