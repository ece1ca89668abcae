import { bodyLength, decodePercent, locateKeys, parseKey } from '@soku/key';

/** How a key is written in a file. */
export type Encoding = 'plain' | 'percent-encoded' | 'base64' | 'UTF-16';

export interface FoundKey {
  key: string;
  /** Where it starts, in UTF-16 code units of the text. */
  index: number;
  encoding: Encoding;
}

/** More characters than any encoding of a key has, with the line breaks of MIME or PEM in between. */
export const maxEncodedLength = 400;

/**
 * Finds the full keys with one of the prefixes in texts. Only a key with a correct checksum is found, so at most one
 * in 2^32 other texts of the same form is reported.
 */
export class KeyFinder {
  readonly #prefixes: readonly string[];
  readonly #encodedPrefixes: RegExp;
  readonly #needles: readonly Needle[];

  /** @param prefixes at least one */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes;
    this.#encodedPrefixes = new RegExp(prefixes.map(percentEncoded).join('|'), 'gi');
    this.#needles = prefixes.flatMap(needlesOf);
  }

  /** @param text characters 0 to 255 of a file, or any other text. @returns in the order of their positions */
  find(text: string): FoundKey[] {
    const found = [
      ...this.#findPlain(text),
      ...this.#findWide(text),
      ...this.#findPercentEncoded(text),
      ...this.#findBase64(text),
    ];
    return found.sort((a, b) => a.index - b.index);
  }

  *#findPlain(text: string): Iterable<FoundKey> {
    for (const { start, end } of locateKeys(text, this.#prefixes))
      yield { key: text.slice(start, end), index: start, encoding: 'plain' };
  }

  /** In UTF-16, each second byte of a key is 0. */
  *#findWide(text: string): Iterable<FoundKey> {
    if (!text.includes('\0')) return;
    for (const prefix of this.#prefixes) {
      const start = widen(prefix);
      for (let index = text.indexOf(start); index >= 0; index = text.indexOf(start, index + 1)) {
        const wide = text.slice(index, index + 2 * (prefix.length + bodyLength) - 1);
        const key = wide.replaceAll('\0', '');
        if (wide === widen(key) && parseKey(key, [prefix]) !== null) yield { key, index, encoding: 'UTF-16' };
      }
    }
  }

  /** A URL may encode the underscores of the prefix, more than once. */
  *#findPercentEncoded(text: string): Iterable<FoundKey> {
    if (!text.includes('%')) return;
    for (const { index } of text.matchAll(this.#encodedPrefixes)) {
      const decoded = decodePercent(text.slice(index, index + maxEncodedLength));
      const key = this.#keyAtStart(decoded);
      if (key !== undefined && !text.startsWith(key, index))
        yield { key, index, encoding: 'percent-encoded' };
    }
  }

  *#findBase64(text: string): Iterable<FoundKey> {
    for (const { needle, skipped, before } of this.#needles) {
      for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
        const index = at - before;
        if (index < 0) continue;
        // The decoder ignores line breaks, but not those that a string of JSON escapes.
        const encoded = text.slice(index, index + maxEncodedLength).replaceAll(/\\[rn]/g, '');
        const key = this.#keyAtStart(Buffer.from(encoded, 'base64').toString('latin1').slice(skipped));
        if (key !== undefined) yield { key, index, encoding: 'base64' };
      }
    }
  }

  #keyAtStart(text: string): string | undefined {
    for (const prefix of this.#prefixes) {
      const key = text.slice(0, prefix.length + bodyLength);
      if (parseKey(key, [prefix]) !== null) return key;
    }
    return undefined;
  }
}

function widen(text: string): string {
  return Array.from(text).join('\0');
}

function percentEncoded(prefix: string): string {
  const characters = Array.from(prefix, (character) => {
    const hex = character.charCodeAt(0).toString(16);
    return `(?:${character}|%(?:25)*${hex})`;
  });
  return characters.join('');
}

/** Characters of base64 that are the same in every text with the prefix at one of the three positions in a group. */
interface Needle {
  needle: string;
  /** Bytes before the prefix in its group of three. */
  skipped: number;
  /** Characters before the needle in its group of four. */
  before: number;
}

/** Base64 of three bytes is four characters, so the prefix has three encodings (RFC 4648 section 4, and 5 for URLs). */
function needlesOf(prefix: string): Needle[] {
  return [0, 1, 2].flatMap((skipped) => {
    const bytes = Buffer.from('\0'.repeat(skipped) + prefix);
    // The characters that hold bits of the bytes around the prefix differ.
    const before = Math.ceil((skipped * 8) / 6);
    const end = Math.floor((bytes.length * 8) / 6);
    const texts = [bytes.toString('base64'), bytes.toString('base64url')];
    const needles = new Set(texts.map((text) => text.slice(before, end)));
    return [...needles].map((needle) => ({ needle, skipped, before }));
  });
}
