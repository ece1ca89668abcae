/** Lists of IP addresses and CIDR blocks as people and programs write them, with what is wrong with an entry. */
import {
  type AddressBlock,
  compareBlocks,
  formatBlock,
  ipv4MappedPrefixLength,
  isIpv4,
  parseIpAddress,
  prefixMask,
} from './addresses.ts';

/** A parsed entry, or what is wrong with it. */
export type ParsedBlock =
  | { block: AddressBlock; problem?: never; meant?: never }
  | {
      block?: never;
      /** Continues a sentence that starts with the name of the field. It repeats no input except numbers of an address. */
      problem: string;
      /** The canonical block that was probably meant. */
      meant?: string;
    };

const anExample = 'such as 203.0.113.7, 10.1.0.0/16 or 2001:db8::/32';

/** What is wrong with a text that is not an address; the first row that fits. */
const problems: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'must not be empty'],
  [/^.{65}/s, `must be an IP address or a CIDR block, ${anExample}`],
  [/\s/, 'must not contain spaces'],
  [/%/, 'must not have a zone, which is the part after %'],
  [/^\[|^[\d.]+:\d+(?:\/|$)/, 'must not have a port or brackets'],
  [/\*|^[\d.]+\.x/i, 'must not have wildcards: use a CIDR block such as 10.1.0.0/16'],
  [
    /^[\da-f.:]+-[\da-f.:]+$/i,
    'must not be a range from one address to another: use CIDR blocks such as 10.1.0.0/16',
  ],
  [/^[\d.]*\b0\d[\d.]*(?:\/|$)/, 'must not have numbers with leading zeros'],
  [/^\d+(?:\.\d+){3}(?:\/|$)/, 'must have numbers from 0 to 255'],
  [/^[\d.]+(?:\/|$)/, 'must have four numbers separated by dots'],
  [/:::|::.*::/, 'must have :: only once'],
  [/^[\da-f:]*[\da-f]{5}[\da-f:]*(?:\/|$)/i, 'must have at most four hexadecimal digits between colons'],
  [
    /^[\da-f:.]*:[\da-f:.]*(?:\/|$)/i,
    'must have eight groups between colons, or :: in place of groups of zeros',
  ],
];

/** Parses an address or a CIDR block. */
export function parseBlock(text: string): ParsedBlock {
  const read = parseRange(text);
  if (read.problem !== undefined) return read;
  const { words, bits } = read.block;
  const first = words.map((word, i) => word & prefixMask(bits, i));
  if (words.every((word, i) => word === first[i])) return read;
  const meant = formatBlock({ words: first, bits });
  return { problem: `must be ${meant}, because the bits after the prefix length must be 0`, meant };
}

/** Like `parseBlock`, but accepts any address of the block before the slash, such as 10.0.0.5/8. */
export function parseRange(text: string): ParsedBlock {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const words = new Int32Array(4);
  if (!parseIpAddress(address, words)) return { problem: explain(text) };
  if (slash === -1) return { block: { words, bits: 128 } };
  const longest = address.includes(':') ? 128 : 32;
  const prefix = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > longest) {
    return { problem: `must have a number from 0 to ${longest} after the slash` };
  }
  const bits = Number(prefix) + 128 - longest;
  if (isIpv4(words) && bits < ipv4MappedPrefixLength) {
    return {
      problem: 'must have a number from 96 to 128 after the slash, because the address is an IPv4 address',
    };
  }
  return { block: { words, bits } };
}

function explain(text: string): string {
  const found = problems.find(([pattern]) => pattern.test(text));
  return found?.[1] ?? `must be an IP address or a CIDR block, ${anExample}`;
}

/** The canonical form of a list: each block once, in the order of compareBlocks. */
export function canonicalList(blocks: readonly AddressBlock[]): string[] {
  return [...new Set(blocks.toSorted(compareBlocks).map(formatBlock))];
}
