import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../../../test/support/run-count.ts';
import { escapeHiddenCharacters, isPrintable, isVisible } from './visible-text.ts';

const england = '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}';

test('names of every script are printable, with the joiners and selectors that belong to them', () => {
  for (const name of [
    'Production Server',
    'می\u200cخواهم',
    'نامه\u200cای',
    'क्\u200dष',
    'क्\u200cष',
    'ශ්\u200dරී ලංකා',
    'അവന്\u200d',
    'শ্রী র\u200d্যাব',
    '葛\u{E0100}飾区',
    '﨑\uFE00',
    'ᠠ\u180B',
    '⠓⠑⠇⠇⠕\u2800⠺⠕⠗⠇⠙',
    'e\u0301',
    '❤\uFE0F',
    '❤\uFE0E',
    '1\uFE0F\u20E3',
    '👩\u200d💻',
    '🏳\uFE0F\u200d🌈',
    '👨🏽\u200d🚒',
    england,
    `Server ${england} London`,
  ]) {
    assert.ok(isPrintable(name), name);
    assert.ok(isVisible(name), name);
  }
});

test('invisible and text-reordering characters are rejected', () => {
  for (const name of [
    'Prod\u200duction',
    'Prod\u200cuction',
    'а\u200dб',
    '鍵\u200d鍵',
    'می\u200c\u200cخواهم',
    'می\u200c',
    '\u200cمی',
    'a\uFE0F',
    'é\uFE0E',
    '1\uFE0F',
    'a\u{E0100}',
    '❤\uFE0F\uFE0F',
    'a\u180B',
    'a\u2800b',
    'Server\u2800',
    'a\uFFF9b\uFFFAc\uFFFB',
    'a\u202Eb',
    'a\u202Ab\u202C',
    'a\u2067b\u2069',
    'a\u200Eb',
    'a\u061Cb',
    'a\u00ADb',
    'a\u3164b',
    'a\u115Fb',
    'a\uFFA0b',
    'a\u034Fb',
    'a\u17B4b',
    'a\u{1D173}b',
    'a\u{E0001}b',
    'a\uFFFCb',
    '\u{1D159}',
    '\u{13441}\u{13442}',
    'a\uFFFEb',
    'a\u{1FFFF}b',
    '🚀\u200d',
    '🚀\u200da',
    // A flag without its end tag, text hidden behind a flag, and text hidden behind another emoji.
    england.slice(0, -2),
    `\u{1F3F4}${'\u{E0061}'.repeat(30)}\u{E007F}`,
    england.replace('\u{1F3F4}', '🚀'),
    '\ud800',
    'a\udc00',
  ]) {
    assert.ok(!isPrintable(name), JSON.stringify(name));
  }
});

test('names that look empty have no visible character', () => {
  for (const name of [
    '',
    ' ',
    '\u2800',
    '\u3164',
    '\u115F\u1160',
    '\uFFA0',
    '\u034F',
    '\u180B',
    '\u200B',
    '\u0301',
    '\u3000\u2003',
  ]) {
    assert.ok(!isVisible(name), JSON.stringify(name));
  }
});

test('an invisible character in a Latin name is always rejected', () => {
  const invisible = fc.constantFrom(
    ...'\u00AD\u034F\u061C\u115F\u17B5\u180B\u180E\u200B\u200C\u200D\u200E\u202E\u2060\u2066\u2800\u3164\uFE00\uFE0E\uFE0F\uFEFF\uFFA0\uFFF9',
    '\u{E0001}',
    '\u{E0061}',
    '\u{E007F}',
    '\u{E0100}',
  );
  const latin = fc.string({ unit: fc.constantFrom(...'abcXYZ 019-_.#*'), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(latin, invisible, latin, (before, character, after) => {
      assert.ok(!isPrintable(before + character + after));
    }),
    { numRuns: runCount(200, 5000) },
  );
});

test('hidden characters are replaced with code points, and nothing else changes', () => {
  assert.equal(escapeHiddenCharacters('a\u202Eb\n\u{E0061}'), 'a\\u{202e}b\\u{a}\\u{e0061}');
  for (const text of ['', 'Grüße', '👩‍💻', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'می‌خواهم']) assert.equal(escapeHiddenCharacters(text), text);
  const unit = fc.oneof(
    fc.string({ unit: 'binary', size: 'small' }),
    fc.constantFrom('\u200D', '\u202E', '👩', '\uFE0F'),
  );
  fc.assert(
    fc.property(fc.array(unit), (parts) => {
      const text = parts.join('');
      assert.equal(escapeHiddenCharacters(text) === text, isPrintable(text));
    }),
  );
});
