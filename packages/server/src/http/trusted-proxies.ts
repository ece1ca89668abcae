import { BlockList } from 'node:net';
import { canonicalAddress } from './address.ts';

/**
 * Whether an address is one of these.
 *
 * @param ranges addresses and CIDR ranges
 * @returns asks for a canonical address
 */
export function addressMatcher(ranges: readonly string[]): (address: string) => boolean {
  // Apart, because Node would let a wide range of IPv6, such as ::/8, hold all of IPv4.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [text = '', bits] = range.split('/');
    const address = canonicalAddress(text);
    if (address === null) throw new RangeError('a range is no address');
    const family = familyOf(address);
    const longest = family === 'ipv4' ? 32 : 128;
    // The range of an IPv4 address that was written as mapped counts the 96 bits before it.
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
