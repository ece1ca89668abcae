/** Describes what is wrong with a text that does not have the format of a key: its start, length and characters. */

import { characterName } from './character-name.ts';
import { bodyLength, defaultPrefix } from './format.ts';
import { countCharacters } from './header-text.ts';

/**
 * @param text a text that does not have the format of a key
 * @param prefixes the accepted prefixes
 * @returns the message, in ASCII; it repeats no part of the text
 */
export function describeMalformedKey(text: string, prefixes: readonly string[]): string {
  const prefix = longest(prefixes.filter((candidate) => text.startsWith(candidate)));
  const sentences =
    prefix === undefined
      ? [wrongStart(text, prefixes), lengthFound(text, prefixes[0] ?? defaultPrefix)]
      : [lengthFound(text, prefix, 'This key'), lengthGap(text, prefix), wrongCharacter(text, prefix)];
  const advice = 'Copy the whole key again and send nothing else.';
  return [...sentences.filter((sentence) => sentence !== ''), advice].join(' ');
}

function longest(texts: readonly string[]): string | undefined {
  return texts.toSorted((a, b) => b.length - a.length)[0];
}

/** `This key has 37 characters; a key has 40: ...`, or an empty string if the length is right. */
function lengthFound(text: string, prefix: string, subject: 'It' | 'This key' = 'It'): string {
  const length = countCharacters(text);
  const expected = prefix.length + bodyLength;
  if (length === expected) return '';
  return `${subject} has ${characters(length)}; a key has ${expected}: \`${prefix}\` and ${bodyLength} more.`;
}

function characters(count: number): string {
  return `${count} ${count === 1 ? 'character' : 'characters'}`;
}

/** `3 characters are missing.`, or an empty string if the length is right. */
function lengthGap(text: string, prefix: string): string {
  const gap = countCharacters(text) - prefix.length - bodyLength;
  if (gap === 0) return '';
  if (gap > 0) return `That is ${characters(gap)} too many.`;
  return `${characters(-gap)} ${gap === -1 ? 'is' : 'are'} missing.`;
}

function wrongCharacter(text: string, prefix: string): string {
  const index = text.slice(prefix.length).search(/[^0-9A-Za-z]/);
  if (index < 0) return '';
  const at = prefix.length + index;
  return `Character ${at + 1} is ${nameAt(text, at)}; after \`${prefix}\`, a key has only letters (A-Z, a-z) and digits.`;
}

function wrongStart(text: string, prefixes: readonly string[]): string {
  const prefix = prefixes.find((candidate) => text.toLowerCase().startsWith(candidate));
  if (prefix !== undefined) return `The prefix \`${prefix}\` must be lowercase.`;
  const cut = prefixes.flatMap((candidate) => missingStart(text, candidate))[0];
  if (cut !== undefined) return cut;
  const expected = prefixes.map((candidate) => `\`${candidate}\``).join(' or ');
  const other = otherPrefixLength(text);
  const problem = `Keys of this deployment start with ${expected}; this text does not${firstDifference(text, prefixes, other)}.`;
  return other > 0 ? `${problem} It may be a key for another service or environment.` : problem;
}

/** The sentence for a key whose first characters were not copied, or no sentence. */
function missingStart(text: string, prefix: string): string[] {
  for (let missing = 1; missing < prefix.length; missing++) {
    if (text.startsWith(prefix.slice(missing))) {
      return [
        `The prefix \`${prefix}\` is incomplete: its first ${missing === 1 ? 'character is' : `${missing} characters are`} missing.`,
      ];
    }
  }
  return [];
}

/**
 * Where the text first differs from the prefix that it resembles most. For a text without a prefix, only the first
 * position is reported: any other would reveal which characters a secret begins with.
 */
function firstDifference(text: string, prefixes: readonly string[], otherPrefix: number): string {
  const at = Math.max(0, ...prefixes.map((prefix) => commonStart(text, prefix)));
  if (at > 0 && at >= otherPrefix) return '';
  const name = nameAt(text, at);
  if (name !== null) return ` (character ${at + 1} is ${name})`;
  return at > 0 ? ` (character ${at + 1} is the first that differs)` : '';
}

function commonStart(text: string, prefix: string): number {
  let length = 0;
  while (length < prefix.length && text.charAt(length) === prefix.charAt(length)) length++;
  return length;
}

/** Keys of other services have words joined by `_` or `-`, then a long run. 0 if the text does not look like that. */
function otherPrefixLength(text: string): number {
  const length = Math.max(text.lastIndexOf('_'), text.lastIndexOf('-')) + 1;
  return /^[0-9A-Za-z]{16,}$/.test(text.slice(length)) ? length : 0;
}

function nameAt(text: string, index: number): string | null {
  return characterName(String.fromCodePoint(text.codePointAt(index) ?? 0));
}
