import { type AddressBlock, isIpv4, maskOf, readIpAddress } from '@soku/contract/addresses';

/** Scratch space for the address that is being matched. */
const address = new Int32Array(4);

/** Addresses and CIDR blocks, prepared to match many addresses. */
export class AddressBlocks {
  /** Of each IPv4 block, its address and its mask. */
  readonly ipv4: Int32Array;
  /** Of each IPv6 block, the four words of its address and those of its mask. */
  readonly ipv6: Int32Array;

  /** @param blocks their addresses may have bits set after the prefix length */
  constructor(blocks: readonly AddressBlock[]) {
    const [ipv4, ipv6]: [number[], number[]] = [[], []];
    for (const { words, bits } of blocks) {
      const masks = Array.from(words, (_, i) => maskOf(bits, i));
      const masked = masks.map((mask, i) => (words[i] ?? 0) & mask);
      if (isIpv4(words)) ipv4.push(...masked.slice(3), ...masks.slice(3));
      // A wide block such as ::/8 has no IPv4 addresses, although their IPv4-mapped forms are in it.
      else ipv6.push(...masked, ...masks);
    }
    this.ipv4 = Int32Array.from(ipv4);
    this.ipv6 = Int32Array.from(ipv6);
  }

  /** Whether an address is in one of the blocks. False for a text that is not an address. */
  has(text: string): boolean {
    if (!readIpAddress(text, address)) return false;
    return isIpv4(address) ? this.#hasIpv4() : this.#hasIpv6();
  }

  #hasIpv4(): boolean {
    const blocks = this.ipv4;
    const word = address[3] ?? 0;
    for (let i = 0; i < blocks.length; i += 2) {
      if ((word & (blocks[i + 1] ?? 0)) === blocks[i]) return true;
    }
    return false;
  }

  #hasIpv6(): boolean {
    const blocks = this.ipv6;
    for (let i = 0; i < blocks.length; i += 8) {
      let at = 0;
      while (at < 4 && ((address[at] ?? 0) & (blocks[i + at + 4] ?? 0)) === blocks[i + at]) at++;
      if (at === 4) return true;
    }
    return false;
  }
}
