import { type AddressBlock, isIpv4, parseIpAddress, prefixMask } from '@soku/contract/addresses';

/** Scratch space for the address that is being matched. */
const address = new Int32Array(4);

/** Addresses and CIDR blocks, prepared to match many addresses. One array, because there may be a list for each key. */
export class AddressBlocks {
  /** The address and the mask of each IPv4 block, then the four words of the address and of the mask of each IPv6 block. */
  readonly words: Int32Array;
  /** Index of the first IPv6 block. */
  readonly ipv6: number;

  /** @param blocks their addresses may have bits set after the prefix length */
  constructor(blocks: readonly AddressBlock[]) {
    const [ipv4, ipv6]: [number[], number[]] = [[], []];
    for (const { words, bits } of blocks) {
      const masks = Array.from(words, (_, i) => prefixMask(bits, i));
      const masked = masks.map((mask, i) => (words[i] ?? 0) & mask);
      if (isIpv4(words)) ipv4.push(...masked.slice(3), ...masks.slice(3));
      // A wide block such as ::/8 has no IPv4 addresses, although their IPv4-mapped forms are in it.
      else ipv6.push(...masked, ...masks);
    }
    this.words = Int32Array.from([...ipv4, ...ipv6]);
    this.ipv6 = ipv4.length;
  }

  /** Whether an address is in one of the blocks. False for a text that is not an address. */
  has(text: string): boolean {
    if (!parseIpAddress(text, address)) return false;
    return isIpv4(address) ? this.#hasIpv4() : this.#hasIpv6();
  }

  #hasIpv4(): boolean {
    const blocks = this.words;
    const word = address[3] ?? 0;
    for (let i = 0; i < this.ipv6; i += 2) {
      if ((word & (blocks[i + 1] ?? 0)) === blocks[i]) return true;
    }
    return false;
  }

  #hasIpv6(): boolean {
    const blocks = this.words;
    for (let i = this.ipv6; i < blocks.length; i += 8) {
      let at = 0;
      while (at < 4 && ((address[at] ?? 0) & (blocks[i + at + 4] ?? 0)) === blocks[i + at]) at++;
      if (at === 4) return true;
    }
    return false;
  }
}
