import { isIP } from 'node:net';

/**
 * The network by which an address is limited: an IPv4 address itself, even if it is mapped into IPv6 (RFC 4291 section
 * 2.5.5.2), and the /64 of an IPv6 address in any spelling.
 */
export function networkOf(address: string): string {
  const version = isIP(address);
  if (version === 4) return address;
  if (version === 0) return 'no address';
  const groups = readGroups(address);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** The eight groups of a valid IPv6 address; a zone, as in fe80::1%eth0, is ignored. */
function readGroups(address: string): number[] {
  const [plain = ''] = address.split('%');
  const [before = '', after] = plain.split('::');
  const head = readPart(before);
  if (after === undefined) return head;
  const tail = readPart(after);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Parses groups between colons; the last one may be an IPv4 address, which counts as two groups. */
function readPart(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
