import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSoak } from '../../bench/soak/run.ts';

/** The outcome that each kind of request must have at least once. */
const expected: Record<string, string> = {
  'valid key, from a proxy': '204',
  'valid key, from its program': '200',
  'valid key, from a back end': '200',
  'key that was just created': '204',
  'key that was just revoked': '401 revoked_key',
  'revoked key': '401 revoked_key',
  'revoked key, from a back end': '200',
  'unknown key': '401 unknown_key',
  'malformed key': '429 rate_limited',
  'no key': '401 missing_authorization',
  rename: '200',
  health: '200',
};

type Kinds = Awaited<ReturnType<typeof runSoak>>['kinds'];

/** The kinds without their expected outcome so far. */
const missing = (kinds: Kinds) =>
  Object.entries(expected).filter(([kind, outcome]) => (kinds[kind]?.[outcome] ?? 0) === 0);

test('under every kind of traffic at once, each response is the expected one and every use is counted', async (t) => {
  const { wrong, unexpected, kinds, requests } = await runSoak({
    seconds: 2,
    share: 0.4,
    isEnough: (counts) => missing(counts).length === 0,
  });
  t.diagnostic(`${requests} requests`);
  assert.deepEqual(unexpected, []);
  assert.equal(wrong, 0);
  assert.deepEqual(missing(kinds), []);
});
