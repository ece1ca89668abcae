import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containsKey, generateKey } from '@soku/key';
import fc from 'fast-check';
import { cleanUserAgent, maxStoredAgentLength, truncateAgent } from './user-agent.ts';

test('an ordinary user agent stays unchanged', () => {
  for (const agent of ['', 'curl/8.5.0', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 'Bücher/1']) {
    assert.equal(cleanUserAgent(agent), agent);
  }
});

test('long agents are truncated, broken ones are repaired, and control characters are removed', () => {
  assert.equal(cleanUserAgent('long words '.repeat(50)).length, 200);
  assert.equal(cleanUserAgent(`${'- '.repeat(99)}-😀`), `${'- '.repeat(99)}-\ufffd`);
  assert.equal(cleanUserAgent('a\tb\u0000c\u007fd\u0085e'), 'abcde');
});

test('a key in an agent is removed, wherever it is', () => {
  const key = generateKey();
  const random = key.slice('sk_live_'.length);
  const filler = fc.nat(230).map((length) => '-'.repeat(length));
  const control = fc.constantFrom('', '\t', '\u0000', '\u0085');
  fc.assert(
    fc.property(filler, control, fc.nat(key.length), filler, (before, inside, at, after) => {
      const cleaned = cleanUserAgent(`${before}${key.slice(0, at)}${inside}${key.slice(at)}${after}`);
      assert.ok(!containsKey(cleaned, ['sk_live_']));
      // Truncation also leaves no large part of a key.
      for (let i = 0; i + 12 <= random.length; i++) assert.ok(!cleaned.includes(random.slice(i, i + 12)));
      assert.ok(cleaned.length <= 200);
    }),
  );
});

test('a long user agent is cut between two words, so that no part of a key remains at its end', () => {
  for (let at = 340; at < 420; at++) {
    const key = `sk_live_${'aB3'.repeat(11)}`.slice(0, 40);
    const kept = truncateAgent(`${'x '.repeat(at / 2)}${key} and more ${'y'.repeat(1000)}`);
    assert.ok(kept.length <= maxStoredAgentLength);
    assert.ok(kept.endsWith(' ') || kept.includes(key), kept.slice(-60));
    assert.ok(!cleanUserAgent(kept).includes('aB3'));
  }
});
