/**
 * IP addresses and CIDR blocks: the only parser, for the server, its configuration and the dashboard.
 *
 * Both versions are 128 bits, as four 32-bit integers, most significant first. IPv4 is IPv4-mapped IPv6 (RFC 4291
 * section 2.5.5.2), so that the two spellings of an IPv4 address are the same address.
 */

/** A block of addresses; with 128 bits, one address. */
export interface AddressBlock {
  /** Its first address. */
  words: Int32Array;
  /** How many leading bits all of its addresses share. For IPv4 it is the prefix length and 96. */
  bits: number;
}

/** The bits before an IPv4 address in its IPv4-mapped form. */
export const ipv4MappedPrefixLength = 96;

/** In characters: six groups of four digits, and an IPv4 address in place of the last two. */
const longestAddress = 45;

/** Character codes. */
const [dot, colon] = [46, 58];

/** Scratch space for the groups of an IPv6 address. */
const groups = new Uint16Array(8);

/**
 * Parses an address without a zone, and allocates nothing: verification calls it for each request with a key that has
 * allowed addresses.
 *
 * @param words receives the address
 * @returns false if the text is not an address
 */
export function parseIpAddress(text: string, words: Int32Array): boolean {
  if (text.length > longestAddress) return false;
  if (text.includes(':')) return readIpv6(text, words);
  const ipv4 = readIpv4(text, 0);
  if (ipv4 === -1) return false;
  words[0] = 0;
  words[1] = 0;
  words[2] = 0xffff;
  words[3] = ipv4;
  return true;
}

/** @returns -1 if the text from `start` on is not an IPv4 address */
function readIpv4(text: string, start: number): number {
  let address = 0;
  let bytes = 0;
  let byte = -1;
  for (let at = start; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot || at === text.length) {
      if (byte === -1) return -1;
      address = address * 256 + byte;
      bytes += 1;
      byte = -1;
    } else {
      byte = appendDigit(byte, code - 48);
      if (byte === -1) return -1;
    }
  }
  return bytes === 4 ? address : -1;
}

/** @param byte -1 before its first digit. @returns -1 if the number is invalid */
function appendDigit(byte: number, digit: number): number {
  // Leading zeros are rejected, because some programs read such a number as octal.
  if (digit < 0 || digit > 9 || byte === 0) return -1;
  const longer = byte === -1 ? digit : byte * 10 + digit;
  return longer > 255 ? -1 : longer;
}

function readIpv6(text: string, words: Int32Array): boolean {
  const gap = text.indexOf('::');
  if (gap === -1) {
    if (readGroups(text, 0, text.length, 0) !== 8) return false;
    writeWords(words, 8, 8);
    return true;
  }
  const before = gap === 0 ? 0 : readGroups(text, 0, gap, 0);
  if (before === -1) return false;
  const after = gap + 2;
  const count = after === text.length ? before : readGroups(text, after, text.length, before);
  if (count === -1 || count === 8) return false;
  writeWords(words, before, count);
  return true;
}

/**
 * Reads the groups in a part of an address.
 *
 * @param before number of groups before this part
 * @returns number of groups up to the end of this part; -1 if it is invalid
 */
function readGroups(text: string, start: number, end: number, before: number): number {
  let count = before;
  for (let at = start; ; at++) {
    const stop = endOfDigits(text, at, end);
    const next = text.charCodeAt(stop);
    if (next === dot && end === text.length) return readLastIpv4(text, at, count);
    if (stop === at || stop - at > 4 || count === 8) return -1;
    groups[count] = readHex(text, at, stop);
    count += 1;
    if (stop === end) return count;
    if (next !== colon) return -1;
    at = stop;
  }
}

/** Reads an IPv4 address at the end of an address, which is two groups. Parameters and result as above. */
function readLastIpv4(text: string, start: number, before: number): number {
  const ipv4 = readIpv4(text, start);
  if (ipv4 === -1 || before > 6) return -1;
  groups[before] = ipv4 >>> 16;
  groups[before + 1] = ipv4;
  return before + 2;
}

/** @returns the index of the first character from `start` to `end` that is not a hexadecimal digit; `end` if all are */
function endOfDigits(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && hexDigit(text.charCodeAt(at)) !== -1) at++;
  return at;
}

/** The value of hexadecimal digits. */
function readHex(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 16 + hexDigit(text.charCodeAt(at));
  return value;
}

/** @returns -1 if it is none */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Writes the groups, with zeros between those before `::` and those after it. */
function writeWords(words: Int32Array, before: number, count: number): void {
  const zeros = 8 - count;
  // From the end, so that no group is overwritten before it is moved.
  if (zeros > 0) {
    for (let i = 7; i >= before; i--) groups[i] = i - zeros >= before ? (groups[i - zeros] ?? 0) : 0;
  }
  for (let i = 0; i < 4; i++) words[i] = ((groups[2 * i] ?? 0) << 16) | (groups[2 * i + 1] ?? 0);
}

/** Whether an address, or the first address of a block, is an IPv4 address. */
export function isIpv4(words: Int32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

/** Formats an address canonically: IPv4 as such, and IPv6 as in RFC 5952. */
export function formatAddress(words: Int32Array): string {
  return isIpv4(words) ? formatIpv4(words[3] ?? 0) : formatIpv6(toIpv6Groups(words));
}

function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** The eight groups of an address. */
export function toIpv6Groups(words: Int32Array): number[] {
  return [...words].flatMap((word) => [word >>> 16, word & 0xffff]);
}

/** RFC 5952 section 4.2: `::` replaces the first of the longest runs of at least two zeros. */
function formatIpv6(all: readonly number[]): string {
  let longest = { start: 0, length: 1 };
  let start = 0;
  for (const [i, group] of all.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > longest.length) longest = { start, length: i + 1 - start };
  }
  const format = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (longest.length === 1) return format(all);
  return `${format(all.slice(0, longest.start))}::${format(all.slice(longest.start + longest.length))}`;
}

/** Formats a block canonically, without the prefix length of a single address. */
export function formatBlock({ words, bits }: AddressBlock): string {
  const address = formatAddress(words);
  if (bits === 128) return address;
  return `${address}/${isIpv4(words) ? bits - ipv4MappedPrefixLength : bits}`;
}

/** The bits of the 32-bit word at an index that a block's addresses share. */
export function prefixMask(bits: number, index: number): number {
  const ofWord = bits - 32 * index;
  if (ofWord <= 0) return 0;
  return ofWord >= 32 ? -1 : -1 << (32 - ofWord);
}

/** Whether all addresses of a block are in another one. */
export function blockIncludes(outer: AddressBlock, inner: AddressBlock): boolean {
  // A wide IPv6 block such as ::/8 has no IPv4 addresses.
  if (outer.bits > inner.bits || isIpv4(outer.words) !== isIpv4(inner.words)) return false;
  return outer.words.every((word, i) => ((word ^ (inner.words[i] ?? 0)) & prefixMask(outer.bits, i)) === 0);
}

/** Orders blocks by their first address, IPv4 first, and wide ones before those in them. */
export function compareBlocks(a: AddressBlock, b: AddressBlock): number {
  const versions = Number(isIpv4(b.words)) - Number(isIpv4(a.words));
  if (versions !== 0) return versions;
  for (const [i, word] of a.words.entries()) {
    const difference = (word >>> 0) - ((b.words[i] ?? 0) >>> 0);
    if (difference !== 0) return difference;
  }
  return a.bits - b.bits;
}
