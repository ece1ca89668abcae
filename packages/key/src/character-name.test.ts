import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../../../test/support/run-count.ts';
import { characterName } from './character-name.ts';
import { alphabet } from './format.ts';

test('a character that may be part of a secret is not named', () => {
  for (const character of alphabet) assert.equal(characterName(character), null);
});

test('every other character has an ASCII name that does not repeat the character', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constant('\ud800')),
      (character) => {
        fc.pre(!alphabet.includes(character));
        assert.match(characterName(character) ?? '', /^[a-zA-Z0-9 ()-]{5,60}$/);
      },
    ),
    { numRuns: runCount(500, 20_000) },
  );
});

test('characters added by copying have distinct names', () => {
  const names = [
    ' ',
    '\t',
    '\n',
    '-',
    '\u2013',
    '\u201c',
    '\u3000',
    '\u200b',
    '\u0007',
    '\u0430',
    '\u0661',
    '\u2022',
  ];
  assert.deepEqual(names.map(characterName), [
    'a space',
    'a tab',
    'a line break',
    'a hyphen',
    'a dash',
    'a curly quote',
    'a special space',
    'an invisible character',
    'a control character',
    'a letter outside A-Z and a-z (some look alike)',
    'a digit outside 0-9',
    'an invalid character',
  ]);
});
