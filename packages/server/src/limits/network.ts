import { formatAddress, isIpv4, parseIpAddress, toIpv6Groups } from '@soku/contract/addresses';
import { stripZone } from '../http/address.ts';

/** Scratch space. */
const words = new Int32Array(4);

/**
 * The network by which an address is limited: an IPv4 address itself, even if it is mapped into IPv6 (RFC 4291 section
 * 2.5.5.2), and the /64 of an IPv6 address in any spelling.
 */
export function networkOf(address: string): string {
  if (!parseIpAddress(stripZone(address), words)) return 'no address';
  if (isIpv4(words)) return formatAddress(words);
  const network = toIpv6Groups(words).slice(0, 4);
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}
