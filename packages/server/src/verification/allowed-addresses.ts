import { memoize } from '../http/memoize.ts';
import { addressMatcher } from '../http/trusted-proxies.ts';

const matcherOf = memoize((allowed: string) => addressMatcher(allowed.split(' ')));

/**
 * Whether a key with these allowed addresses may be used from an address.
 *
 * @param allowed canonical IP addresses and CIDR ranges, separated by spaces; not empty
 * @param address the canonical address of the client; undefined or not an address if it is unknown
 */
export function isAllowedAddress(allowed: string, address: string | undefined): boolean {
  return address !== undefined && matcherOf(allowed)(address);
}

/** Whether all addresses of one list are in another one. @param outer '' means all. @param inner '' means all */
export function includesAddresses(outer: string, inner: string): boolean {
  if (outer === '') return true;
  const entries = outer.split(' ');
  return inner !== '' && inner.split(' ').every((entry) => entries.includes(entry));
}

/** The stored form of a list of addresses and ranges. */
export function canonicalAddresses(entries: readonly string[]): string {
  return [...new Set(entries)].sort().join(' ');
}
