import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys, keysOf, prefixes, texts } from '../../../test/support/arbitrary-keys.ts';
import { runCount } from '../../../test/support/run-count.ts';
import { explainKey } from './explain.ts';
import { parseKey } from './parse.ts';

/** Fails unless the text is explained with this code and a matching message. */
function explains(text: string, code: string, words: RegExp, accepted: readonly string[] = prefixes): void {
  const fault = explainKey(text, accepted);
  assert.equal(fault?.code, code, text);
  assert.match(fault?.message ?? '', words, text);
}

const key = 'sk_live_ABCDEFGHIJKLMNOPQRSTUVWXYZ3s2Qh6';
const body = key.slice(8);

test('the sample key of these tests is valid', () => {
  assert.equal(explainKey(key, prefixes), null);
});

test('the message for a truncated key gives its length and how many characters are missing', () => {
  explains(
    key.slice(0, 37),
    'malformed_key',
    /has 37 characters; a key has 40: `sk_live_` and 32 more\. 3 characters are missing/,
  );
  explains(key.slice(0, 39), 'malformed_key', /1 character is missing/);
  explains('sk_live_', 'malformed_key', /has 8 characters.* 32 characters are missing/);
  explains(`${key.slice(0, 39)}zzz`, 'malformed_key', /has 42 characters.* 2 characters too many/);
});

test('a key in the format of Stripe is recognized', () => {
  const long = `51${'Ab3'.repeat(32)}`;
  for (const text of [`sk_live_${long}`, `sk_test_${long}`, `rk_live_${long}`, `pk_live_${long}`]) {
    explains(text, 'malformed_key', /^This looks like a Stripe key/);
    explains(`"${text}"`, 'malformed_key', /^This looks like a Stripe key/);
    assert.ok(!explainKey(text, prefixes)?.message.includes('Ab3'));
  }
  explains(`rk_live_${'a1B'.repeat(8)}`, 'malformed_key', /^This looks like a Stripe key/);
  explains(`sk_live_${'a1B'.repeat(8)}`, 'malformed_key', /has 32 characters.* 8 characters are missing/);
});

test('of two matching prefixes, the message uses the longer one', () => {
  const accepted = ['sk_', 'sk_live_'];
  const message = /a key has 40: `sk_live_`.* 3 characters are missing/;
  explains(key.slice(0, 37), 'malformed_key', message, accepted);
  explains(key.slice(0, 37), 'malformed_key', message, accepted.toReversed());
});

test('the message for a wrong character gives its position and, for one that no key contains, its name', () => {
  const at = (character: string) => key.slice(0, 20) + character + key.slice(21);
  explains(at(' '), 'malformed_key', /^Character 21 is a space;/);
  explains(at('\n'), 'malformed_key', /^Character 21 is a line break;/);
  explains(at('-'), 'malformed_key', /^Character 21 is a hyphen;/);
  explains(at('\u2013'), 'malformed_key', /^Character 21 is a dash;/);
  explains(at('\u0430'), 'malformed_key', /^Character 21 is a letter outside A-Z/);
  explains(at('\u200b'), 'malformed_key', /^Character 21 is an invisible character;/);
  explains(at('\u0000'), 'malformed_key', /^Character 21 is a control character;/);
  explains(at('\ud800'), 'malformed_key', /^Character 21 is an invalid character;/);
  explains(
    `${key.slice(0, 20)}\n${key.slice(20)}`,
    'malformed_key',
    /41 characters.*Character 21 is a line break/,
  );
});

test('a UTF-8 header that was read as Latin-1 is decoded as it was sent', () => {
  const wire = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  explains(wire('sk_live_abc\u2026xyz'), 'key_preview', /./);
  explains(wire(`${key.slice(0, 20)}\u2013${key.slice(21)}`), 'malformed_key', /^Character 21 is a dash;/);
  explains('sk_live_\u00e9', 'malformed_key', /Character 9 is a letter outside/);
});

test('the message for a whole key with extra characters says what they are and where', () => {
  explains(`"${key}"`, 'malformed_key', /1 before it \(a double quote\) and 1 after it \(a double quote\)/);
  explains(` ${key}`, 'malformed_key', /: 1 before it \(a space\)\./);
  explains(`${key}\r\n`, 'malformed_key', /: 2 after it \(the nearest is a line break\)\./);
  explains(`Bearer ${key}`, 'malformed_key', /7 before it \(the nearest is a space\)/);
  explains(`SOKU_API_KEY=${key}`, 'malformed_key', /13 before it \(the nearest is an equals sign\)/);
  explains(`${key}abc`, 'malformed_key', /: 3 after it\./);
});

test('the message for a missing prefix names it, and says whether the checksum would match with it', () => {
  const accepted = ['acme_', 'sk_live_'];
  explains(body, 'missing_prefix', /add `sk_live_` before these 32 characters.*checksum matches/, accepted);
  explains(body, 'missing_prefix', /\(`acme_`\).*checksum would not match/, ['acme_']);
  explains(`B${body.slice(1)}`, 'missing_prefix', /checksum would not match/);
});

test('a checksum mismatch always gets the same message, however close the key is', () => {
  const mistyped = explainKey(`${key.slice(0, -1)}7`, prefixes);
  assert.equal(mistyped?.code, 'mistyped_key');
  assert.deepEqual(mistyped, explainKey(key.replace('O', '0'), prefixes));
  assert.deepEqual(mistyped, explainKey(`sk_live_${'x'.repeat(32)}`, prefixes));
});

test('a preview or a masked key is identified as such', () => {
  const previews = [
    'sk_live_abc...xyz',
    'sk_live_abc\u2026xyz',
    'sk_live_abc\u2026',
    'sk_live_abc***xyz',
    'abc...xyz',
  ];
  for (const text of [
    ...previews,
    'sk_live_\u2022\u2022\u2022\u2022xyz',
    'sk_live_abc ... xyz',
    '...',
    '***',
    'sk_live_...',
  ]) {
    explains(text, 'key_preview', /shortened or masked/);
  }
  explains('sk_live_abc.xyz', 'malformed_key', /Character 12 is a dot/);
  explains(`${key.slice(0, -1)}7...`, 'malformed_key', /Character 41 is a dot/);
});

test('the message for a wrong start says whether the prefix is uppercase, incomplete, different or absent', () => {
  explains(key.toUpperCase(), 'malformed_key', /`sk_live_` must be lowercase/);
  explains(key.slice(3), 'malformed_key', /incomplete: its first 3 characters are missing\. It has 37/);
  explains(key.slice(1), 'malformed_key', /its first character is missing/);
  explains(
    `sk_test_${body}`,
    'malformed_key',
    /\(character 4 is the first that differs\).*another service or environment/,
  );
  explains(`sk-live-${body}`, 'malformed_key', /\(character 3 is a hyphen\)/);
  explains(`ghp_${body}`, 'malformed_key', /start with `acme_` or `sk_live_`.*another service/, [
    'acme_',
    'sk_live_',
  ]);
  explains('Hello world', 'malformed_key', /this text does not\. It has 11 characters; a key has 40/);
});

test('a text that was never a key is recognized', () => {
  for (const text of ['', ' ', '""']) explains(text, 'malformed_key', /is empty/);
  for (const text of ['undefined', 'null', 'None', '[object Object]', '"undefined"']) {
    explains(text, 'malformed_key', /missing value/);
  }
  const variables = [
    '$SOKU_API_KEY',
    `\${SOKU_API_KEY}`,
    `\${{ secrets.KEY }}`,
    '{{ key }}',
    '{{key',
    '%SOKU_API_KEY%',
  ];
  for (const text of [
    ...variables,
    '{api_key}',
    '<%= key %>',
    'process.env.KEY',
    'SOKU_API_KEY',
    'sk_live_$KEY',
    "'$KEY'",
  ]) {
    explains(text, 'malformed_key', /name of a variable/);
  }
  for (const text of [
    'YOUR_API_KEY',
    '<key>',
    '<your API key here>',
    'your-api-key',
    'sk_live_your_key_here',
    'sk_live_xxxxxx',
  ]) {
    explains(text, 'malformed_key', /placeholder/);
  }
  explains('key_01h2xcejqtf2nbrexx3vqjhp41', 'malformed_key', /id of a key/);
  explains('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'malformed_key', /JSON Web Token/);
  explains('https://api.example.com/v1', 'malformed_key', /is a URL/);
  explains('Bearer sk_live_abc', 'malformed_key', /name of a header or scheme/);
});

test('every rejected text has an explanation, no accepted key has one, and no string makes it throw', () => {
  fc.assert(
    fc.property(
      texts,
      fc.constantFrom<readonly string[]>(prefixes, ['acme_', 'sk_live_'], ['a_'], []),
      (text, accepted) => {
        assert.equal(explainKey(text, accepted) === null, parseKey(text, accepted) !== null);
      },
    ),
    { numRuns: runCount(700, 20_000) },
  );
});

test('every message is valid in a header: ASCII without double quotes and backslashes (RFC 6750 section 3)', () => {
  fc.assert(
    fc.property(texts, (text) => {
      assert.match(explainKey(text, prefixes)?.message ?? '-', /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    }),
    { numRuns: runCount(300, 10_000) },
  );
});

/** Realistic keys: the same character 26 times would be a placeholder. */
const secretKeys = keys.filter((candidate) => new Set(candidate.slice(8, 34)).size > 1);

/** Ways to send a key wrongly. None depends on the secret. */
const mistakes: readonly ((key: string) => string)[] = [
  (key) => key.slice(0, 37),
  (key) => key.slice(0, 34),
  (key) => key.slice(2),
  (key) => key.slice(8),
  (key) => key.slice(9),
  (key) => `${key} `,
  (key) => `"${key}"`,
  (key) => `Bearer ${key}`,
  (key) => key + key,
  (key) => key.toUpperCase(),
  (key) => `sk_test_${key.slice(8)}`,
  (key) => `${key.slice(0, 20)}\n${key.slice(20)}`,
  (key) => `${key.slice(0, 20)}\u0430${key.slice(21)}`,
  (key) => `${key.slice(0, 30)}...`,
  (key) => `$${key}`,
  (key) => `https://${key}@example.com`,
  (key) => `eyJ${key}.${key}.`,
];

test('a message does not depend on the secret', () => {
  fc.assert(
    fc.property(secretKeys, secretKeys, fc.constantFrom(...mistakes), (one, other, mistake) => {
      assert.deepEqual(explainKey(mistake(one), prefixes), explainKey(mistake(other), prefixes));
    }),
    { numRuns: runCount(300, 10_000) },
  );
});

test('a message never repeats four characters of a secret', () => {
  // These secrets consist of capital consonants and digits, so no word of a message can match by chance.
  const secrets = keysOf('BCDFGHJKLMNPQRSTVWXZ0123456789');
  const damage = fc.tuple(fc.nat(40), fc.nat(3), fc.oneof(texts, fc.constantFrom('', ' ', '...', '"')));
  fc.assert(
    fc.property(secrets, damage, (secret, [at, removed, added]) => {
      const message =
        explainKey(secret.slice(0, at) + added + secret.slice(at + removed), prefixes)?.message ?? '';
      for (let i = 8; i + 4 <= 34; i++) assert.ok(!message.includes(secret.slice(i, i + 4)), message);
    }),
    { numRuns: runCount(300, 10_000) },
  );
});

test('a long text is read in one pass', { timeout: 30_000 }, () => {
  const parts = [
    ' ',
    '"',
    '.',
    '*',
    '_',
    'a',
    'a_',
    'a.',
    '-',
    '$',
    '{',
    '%',
    'eyJ',
    'x ',
    '\u00e2\u0080\u00a6',
    '\u2026',
    'sk_live_',
    key,
  ];
  for (const part of parts) {
    const long = part.repeat(200_000 / part.length);
    for (const text of [long, `${long}!`, `sk_live_${long}!`, `!${long}`, `${long}\u{1f600}`]) {
      assert.notEqual(explainKey(text, prefixes), null);
    }
  }
});
