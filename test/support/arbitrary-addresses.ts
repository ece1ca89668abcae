/** IP addresses and CIDR blocks in all spellings, and what they mean according to ipaddr.js. */
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/** Many zeros, so that `::` can be in several places, and few other values, so that blocks often include each other. */
const group = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0, 0, 1, 0xffff, 0xdb8) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);
const byte = fc.oneof(fc.constantFrom(0, 1, 10, 127, 128, 255), fc.integer({ min: 0, max: 255 }));
const arbitraryIpv4: fc.Arbitrary<string> = fc.tuple(byte, byte, byte, byte).map((all) => all.join('.'));

/** The text of eight groups, shortened at some of its zeros, in any case, with any leading zeros. */
const spelled = fc
  .record({
    groups: fc.array(group, { minLength: 8, maxLength: 8 }),
    digits: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
    gap: fc.tuple(fc.nat(7), fc.nat(8)),
    isUpper: fc.boolean(),
    hasIpv4: fc.boolean(),
  })
  .map(({ groups, digits, gap: [start, length], isUpper, hasIpv4 }) => {
    const texts = groups.map((value, i) => value.toString(16).padStart(digits[i] ?? 1, '0'));
    const [high = 0, low = 0] = groups.slice(6);
    const ipv4 = [high >> 8, high & 255, low >> 8, low & 255].join('.');
    const parts = hasIpv4 ? [...texts.slice(0, 6), ipv4] : texts;
    const end = Math.min(start + length, parts.length);
    const isShort =
      end > start && groups.slice(start, hasIpv4 && end === 7 ? 8 : end).every((value) => value === 0);
    const text = isShort
      ? `${parts.slice(0, start).join(':')}::${parts.slice(end).join(':')}`
      : parts.join(':');
    return isUpper ? text.toUpperCase() : text;
  });

const mapped = fc
  .tuple(fc.constantFrom('::ffff:', '::FFFF:', '0:0:0:0:0:ffff:'), arbitraryIpv4)
  .map((all) => all.join(''));

export const arbitraryAddress: fc.Arbitrary<string> = fc.oneof(arbitraryIpv4, mapped, spelled);

/** A block with any prefix length, or none, and possibly with bits set after it. */
export const arbitraryRange: fc.Arbitrary<string> = arbitraryAddress.chain((address) => {
  const longest = address.includes(':') ? 128 : 32;
  const lengths = fc.oneof(
    fc.integer({ min: 0, max: longest }),
    fc.constantFrom(longest, longest - 8, longest / 2),
  );
  return fc
    .option(lengths, { nil: undefined })
    .map((length) => (length === undefined ? address : `${address}/${length}`));
});

/**
 * ipaddr.js reads `::192.0.2.1` as IPv4-mapped, which it is not (RFC 4291 section 2.5.5.1 has its form, section 2.5.5.2
 * that of a mapped address). It reads the same address correctly with the first zero written out.
 */
const withFirstZero = (text: string) => text.replace(/^::(?=\d+\.)/, '0::');

/** An address according to ipaddr.js, with IPv4-mapped IPv6 as IPv4. */
export function referenceAddress(text: string): Parsed {
  return ipaddr.process(withFirstZero(text));
}

/** A block according to ipaddr.js; undefined for an IPv4-mapped address with a prefix that is shorter than the mapping. */
export function referenceBlock(text: string): [Parsed, number] | undefined {
  const written = withFirstZero(text);
  const [address, length] = written.includes('/')
    ? ipaddr.parseCIDR(written)
    : [ipaddr.parse(written), undefined];
  if (!(address instanceof ipaddr.IPv6)) return [address, length ?? 32];
  if (!address.isIPv4MappedAddress()) return [address, length ?? 128];
  const short = (length ?? 128) - 96;
  return short < 0 ? undefined : [address.toIPv4Address(), short];
}

/** Whether an address is in a block. */
export function isInBlock(address: Parsed, [first, length]: [Parsed, number]): boolean {
  return address.kind() === first.kind() && address.match(first, length);
}

/** The first address of a block. */
export function firstOf([address, length]: [Parsed, number]): Parsed {
  const bytes = address.toByteArray().map((value, i) => {
    const bits = Math.max(0, Math.min(8, length - 8 * i));
    return value & (0xff00 >> bits) & 0xff;
  });
  return ipaddr.fromByteArray(bytes);
}

/** The canonical text of a block. */
export function referenceText(block: [Parsed, number]): string {
  const text = firstOf(block).toString();
  return block[1] === (block[0].kind() === 'ipv4' ? 32 : 128) ? text : `${text}/${block[1]}`;
}
