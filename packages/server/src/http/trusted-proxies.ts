import { parseRange } from '@soku/contract/address-lists';
import { AddressBlocks } from './address-blocks.ts';

/**
 * Creates a function that matches addresses against ranges.
 *
 * @param ranges addresses and CIDR ranges
 * @returns a function of an address
 */
export function createAddressMatcher(ranges: readonly string[]): (address: string) => boolean {
  const blocks = new AddressBlocks(
    ranges.map((range) => {
      const { block, problem } = parseRange(range);
      if (block === undefined) throw new RangeError(`a range ${problem}`);
      return block;
    }),
  );
  return (address) => blocks.has(address);
}
