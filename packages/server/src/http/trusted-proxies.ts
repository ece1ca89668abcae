import { BlockList } from 'node:net';
import { canonicalAddress } from './address.ts';

/**
 * Creates a function that matches addresses against ranges.
 *
 * @param ranges addresses and CIDR ranges
 * @returns a function of a canonical address
 */
export function addressMatcher(ranges: readonly string[]): (address: string) => boolean {
  // Separate lists, because in Node a wide IPv6 range such as ::/8 would include all of IPv4.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [text = '', bits] = range.split('/');
    const address = canonicalAddress(text);
    if (address === null) throw new RangeError('invalid address in a range');
    const family = familyOf(address);
    const longest = family === 'ipv4' ? 32 : 128;
    // The prefix length of an IPv4-mapped address includes the 96 bits before the IPv4 address.
    const before = family === 'ipv4' && text.includes(':') ? 96 : 0;
    const prefix = bits === undefined ? longest : Number(bits) - before;
    lists[family].addSubnet(address, prefix, family);
  }
  return (address) => {
    const family = familyOf(address);
    return lists[family].check(address, family);
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
