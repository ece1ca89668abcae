import { digitValue } from './format.ts';

/** Characters that come with a key by copying, quoting or encoding it. */
const names: ReadonlyMap<string, string> = new Map([
  [' ', 'a space'],
  ['\t', 'a tab'],
  ['\n', 'a line break'],
  ['\r', 'a line break'],
  ['\u00a0', 'a no-break space'],
  ['-', 'a hyphen'],
  ['_', 'an underscore'],
  ['.', 'a dot'],
  [',', 'a comma'],
  [':', 'a colon'],
  [';', 'a semicolon'],
  ['/', 'a slash'],
  ['\\', 'a backslash'],
  ['+', 'a plus sign'],
  ['=', 'an equals sign'],
  ['%', 'a percent sign'],
  ['$', 'a dollar sign'],
  ['*', 'an asterisk'],
  ['"', 'a double quote'],
  ["'", 'a single quote'],
  ['`', 'a backtick'],
  ['<', 'an angle bracket'],
  ['>', 'an angle bracket'],
  ['(', 'a round bracket'],
  [')', 'a round bracket'],
  ['[', 'a square bracket'],
  [']', 'a square bracket'],
  ['{', 'a curly bracket'],
  ['}', 'a curly bracket'],
]);

/** For the rest: general categories of Unicode (UAX #44 table 12), the narrower first. */
const classes: readonly (readonly [RegExp, string])[] = [
  [/\p{Pd}/u, 'a dash'],
  [/[\p{Pi}\p{Pf}]/u, 'a curly quote'],
  [/\p{Z}/u, 'a blank'],
  [/\p{Cf}/u, 'an invisible character'],
  [/\p{Cc}/u, 'a control character'],
  [/\p{L}/u, 'a letter outside A-Z and a-z (some look the same)'],
  [/\p{N}/u, 'a digit outside 0-9'],
];

/**
 * Says in words which character it is, so that a message need not repeat it.
 * @param character one code point
 * @returns ASCII words, such as `a line break`; null for `0-9A-Za-z`, which may be part of a secret
 */
export function characterName(character: string): string | null {
  if (character.length === 1 && digitValue(character.charCodeAt(0)) >= 0) return null;
  const name = names.get(character) ?? classes.find(([pattern]) => pattern.test(character))?.[1];
  return name ?? 'a character that is in no key';
}
