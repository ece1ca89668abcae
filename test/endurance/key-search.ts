/** Looks for a key in bytes, whatever it was encoded as on its way there. */

/** Characters of a needle. Every run of 15 characters of a key holds one of its needles whole. */
const needleLength = 8;

/** How a program might have written text down. */
const encodings: Record<string, (text: string) => string[]> = {
  plain: (text) => [text],
  reversed: (text) => [[...text].reverse().join('')],
  hex: (text) => [hexOf(text, ''), hexOf(text, '').toUpperCase()],
  'hex as a Buffer is inspected': (text) => [hexOf(text, ' ')],
  'percent-encoding': (text) => [`%${hexOf(text, '%')}`, `%${hexOf(text, '%').toUpperCase()}`],
  'double percent-encoding': (text) => [`%25${hexOf(text, '%25')}`, `%25${hexOf(text, '%25').toUpperCase()}`],
  'JavaScript escapes': (text) => [`\\u00${hexOf(text, '\\u00')}`, `\\x${hexOf(text, '\\x')}`],
  'decimal bytes': (text) => [decimals(text).join(','), decimals(text).join(', ')],
  'decimal bytes, reversed': (text) => [
    decimals(text).reverse().join(','),
    decimals(text).reverse().join(', '),
  ],
  base64: (text) => [0, 1, 2].map((offset) => base64Of(text, offset)),
  'UTF-16, either order': (text) => [
    wide(text),
    Buffer.from(wide(text), 'latin1').swap16().toString('latin1'),
  ],
};

interface Needle {
  encoding: string;
  bytes: Buffer;
}

/** What to look for: each encoding of the parts of a key that are not its prefix. */
export function needlesOf(key: string): Needle[] {
  const body = key.slice(-32);
  const parts = [0, 1, 2, 3].map((i) => body.slice(i * needleLength, (i + 1) * needleLength));
  return Object.entries(encodings).flatMap(([encoding, encode]) =>
    parts.flatMap(encode).map((text) => ({ encoding, bytes: Buffer.from(text, 'latin1') })),
  );
}

/** @returns the encodings in which a part of the key stands in the bytes; empty when it is nowhere */
export function findKeyIn(bytes: Buffer, needles: readonly Needle[]): string[] {
  const found = needles.filter((needle) => bytes.includes(needle.bytes));
  return [...new Set(found.map((needle) => needle.encoding))];
}

function hexOf(text: string, between: string): string {
  return Buffer.from(text).toString('hex').match(/../g)?.join(between) ?? '';
}

function decimals(text: string): number[] {
  return [...Buffer.from(text)];
}

/**
 * The characters of base64 that depend on the text alone when `offset` bytes stand before it. The two alphabets
 * of base64 differ in characters that no text of letters and digits gives.
 */
function base64Of(text: string, offset: number): string {
  const whole = Buffer.from(`${'\0'.repeat(offset)}${text}`)
    .toString('base64')
    .replace(/=+$/, '');
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + text.length) * 8) / 6);
  return whole.slice(start, end);
}

function wide(text: string): string {
  return Buffer.from(text, 'utf16le').toString('latin1');
}
