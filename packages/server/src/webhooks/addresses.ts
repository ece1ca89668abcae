import { parseRange } from '@soku/contract/address-lists';
import { isIpv4, parseIpAddress } from '@soku/contract/addresses';
import { AddressBlocks } from '../http/address-blocks.ts';

/**
 * IPv4 addresses that are not public (IANA's registry of special purposes, and multicast), and Azure's metadata service,
 * which has a public address. Those of AWS, Google, Oracle and Alibaba are in these ranges.
 */
const notPublicIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];

/**
 * The only IPv6 addresses that are public. Outside are loopback, unique local, link-local and multicast addresses, and
 * those that contain an IPv4 address (::/96, NAT64). An IPv4-mapped one counts as that IPv4 address.
 */
const globalIpv6 = ['2000::/3'];

/** Parts of it that are not public, or lead to an IPv4 address: Teredo and other protocols, documentation, 6to4. */
const notPublicIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Decides which addresses the server connects to, so that no one can use it to reach an internal network (SSRF). */
export class ReachableAddresses {
  readonly #blocked = blocksOf([...notPublicIpv4, ...notPublicIpv6]);
  readonly #ipv6 = blocksOf(globalIpv6);
  readonly #allowed: AddressBlocks;
  readonly #allowedHosts: ReadonlySet<string>;

  /** @param allow SOKU_WEBHOOK_ALLOW: addresses, CIDR blocks and names of hosts that are allowed as well */
  constructor(allow: readonly string[]) {
    const isRange = (entry: string) => parseRange(entry).block !== undefined;
    this.#allowed = blocksOf(allow.filter(isRange));
    this.#allowedHosts = new Set(allow.filter((entry) => !isRange(entry)).map((name) => name.toLowerCase()));
  }

  /** Whether the operator allows a host by its name, or by its address if it is one, even without TLS. */
  isAllowed(hostname: string): boolean {
    const host = normalizeHost(hostname);
    return this.#allowedHosts.has(host) || this.#allowed.has(host);
  }

  /**
   * Whether the server may connect to an address of a host.
   *
   * @param address as resolved; anything else, such as an address with a zone, is not allowed
   */
  permits(hostname: string, address: string): boolean {
    if (this.#allowedHosts.has(normalizeHost(hostname)) || this.#allowed.has(address)) return true;
    const words = new Int32Array(4);
    if (!parseIpAddress(address, words) || this.#blocked.has(address)) return false;
    return isIpv4(words) || this.#ipv6.has(address);
  }
}

/** The host of a URL without brackets and without the dot of a complete name. */
export function normalizeHost(hostname: string): string {
  return hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
}

function blocksOf(texts: readonly string[]): AddressBlocks {
  return new AddressBlocks(texts.flatMap((text) => parseRange(text).block ?? []));
}
