/** Searches bytes for a key in any common encoding. */

/** Number of characters of a needle. Any 15 consecutive characters of a key's body contain a whole needle. */
const needleLength = 8;

/** Ways in which a program may have encoded a text. */
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

/** What to search for: each encoding of each part of a key after its prefix. */
export function needlesOf(key: string): Needle[] {
  const body = key.slice(-32);
  const parts = [0, 1, 2, 3].map((i) => body.slice(i * needleLength, (i + 1) * needleLength));
  return Object.entries(encodings).flatMap(([encoding, encode]) =>
    parts.flatMap(encode).map((text) => ({ encoding, bytes: Buffer.from(text, 'latin1') })),
  );
}

/**
 * Reads the bytes once, whatever the number of needles.
 *
 * @returns the encodings in which a part of a key occurs in the bytes
 */
export function findKeyIn(bytes: Buffer, needles: readonly Needle[]): string[] {
  const byStart = Map.groupBy(needles, ({ bytes: [a = 0, b = 0, c = 0, d = 0] }) => start(a, b, c, d));
  // Most positions are dismissed by this table, without the map.
  const isStart = new Uint8Array(1 << 16);
  for (const value of byStart.keys()) isStart[hash(value)] = 1;
  const found = new Set<string>();
  for (let end = 0, value = 0; end < bytes.length; end++) {
    value = (value << 8) | (bytes[end] ?? 0);
    if (isStart[hash(value)] === 0) continue;
    const at = end - 3;
    for (const { encoding, bytes: needle } of byStart.get(value) ?? [])
      if (at >= 0 && needle.equals(bytes.subarray(at, at + needle.length))) found.add(encoding);
  }
  return Object.keys(encodings).filter((encoding) => found.has(encoding));
}

/** Four bytes as a signed integer. */
function start(a: number, b: number, c: number, d: number): number {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/** 16 bits of a multiplicative hash. */
function hash(value: number): number {
  return Math.imul(value, 0x9e3779b1) >>> 16;
}

function hexOf(text: string, between: string): string {
  return Buffer.from(text).toString('hex').match(/../g)?.join(between) ?? '';
}

function decimals(text: string): number[] {
  return [...Buffer.from(text)];
}

/**
 * The base64 characters that depend only on the text when `offset` bytes precede it. The two base64 alphabets differ
 * only in characters that a text of letters and digits never produces.
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
