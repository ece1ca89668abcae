import { parseRange } from '@soku/contract/address-lists';
import { type AddressBlock, blockIncludes } from '@soku/contract/addresses';
import { AddressBlocks } from '../http/address-blocks.ts';

/** The column api_key.allowed_addresses: canonical addresses and CIDR blocks, separated by spaces; '' means all. */
type StoredAddresses = string;

/** The addresses from which a key may be used. */
export class AllowedAddresses extends AddressBlocks {
  readonly stored: StoredAddresses;

  constructor(stored: StoredAddresses) {
    super(blocksOf(stored));
    this.stored = stored;
  }
}

/**
 * Prepares the allowed addresses of a key for verification.
 *
 * @returns null: all. An entry that was changed by hand and is invalid allows nothing
 */
export function parseAllowedAddresses(stored: StoredAddresses): AllowedAddresses | null {
  return stored === '' ? null : new AllowedAddresses(stored);
}

/** Whether each block of one list is in a block of another one. */
export function includesAddresses(outer: StoredAddresses, inner: StoredAddresses): boolean {
  if (outer === '') return true;
  if (inner === '') return false;
  const blocks = blocksOf(outer);
  return inner.split(' ').every((entry) => {
    const { block } = parseRange(entry);
    // What an entry that this version cannot parse allows is unknown, so nothing includes it.
    return block !== undefined && blocks.some((other) => blockIncludes(other, block));
  });
}

function blocksOf(stored: StoredAddresses): AddressBlock[] {
  return stored.split(' ').flatMap((entry) => parseRange(entry).block ?? []);
}
