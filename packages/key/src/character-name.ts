import { digitValue } from './format.ts';

/** Characters that copying, quoting or encoding can add to a key. */
const names: ReadonlyMap<string, string> = new Map([
  [' ', 'a space'],
  ['\t', 'a tab'],
  ['\n', 'a line break'],
  ['\r', 'a line break'],
  ['\u00a0', 'a non-breaking space'],
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
  ['(', 'a parenthesis'],
  [')', 'a parenthesis'],
  ['[', 'a square bracket'],
  [']', 'a square bracket'],
  ['{', 'a curly brace'],
  ['}', 'a curly brace'],
]);

/** For all other characters: general categories of Unicode (UAX #44 table 12), the narrower ones first. */
const classes: readonly (readonly [RegExp, string])[] = [
  [/\p{Pd}/u, 'a dash'],
  [/[\p{Pi}\p{Pf}]/u, 'a curly quote'],
  [/\p{Z}/u, 'a special space'],
  [/\p{Cf}/u, 'an invisible character'],
  [/\p{Cc}/u, 'a control character'],
  [/\p{L}/u, 'a letter outside A-Z and a-z (some look alike)'],
  [/\p{N}/u, 'a digit outside 0-9'],
];

/**
 * Describes a character, so that a message does not have to repeat it.
 * @param character one code point
 * @returns ASCII text, such as `a line break`; null for `0-9A-Za-z`, which may be part of a secret
 */
export function characterName(character: string): string | null {
  if (character.length === 1 && digitValue(character.charCodeAt(0)) >= 0) return null;
  const name = names.get(character) ?? classes.find(([pattern]) => pattern.test(character))?.[1];
  return name ?? 'an invalid character';
}
