import { networkOf } from './network.ts';
import { consume, type LimitState, type LimitWindow } from './sliding-window.ts';

/** Maximum age of a generation of addresses, in ms: two minutes, after which a window has no effect. */
const generationLength = 120_000;

/**
 * Limits malformed and unknown credentials per IP address, so that guessing is slow. An IPv6 /64 counts as one address,
 * because a client with one of its addresses usually has all of them.
 *
 * Memory is bounded: addresses are stored in two generations, each with half of the bound. A use moves an address into
 * the younger generation. When that is full or two minutes old, it becomes the older one, and the previous older one is
 * discarded. So an address is evicted early only if, since its last request, half the bound of *other* addresses sent
 * requests, each counted against itself. An attacker with that many addresses gains nothing: their own allowances are
 * worth far more than the one that was freed.
 */
export class AddressLimits {
  readonly #quota: number | 'off';
  readonly #half: number;
  #young = new Map<string, LimitWindow>();
  #old = new Map<string, LimitWindow>();
  /** Start of the younger generation, in epoch ms. */
  #since = 0;

  /**
   * @param quota requests per minute
   * @param bound maximum number of addresses in memory, at least 2
   */
  constructor(quota: number | 'off', bound = 100_000) {
    this.#quota = quota;
    this.#half = Math.floor(bound / 2);
  }

  /** Number of addresses in memory. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Counts one request with malformed or unknown credentials.
   *
   * @param address IPv4 or IPv6; all other values count as one address
   * @param now epoch ms
   * @returns null if there is no limit
   */
  consume(address: string, now: number): LimitState | null {
    if (this.#quota === 'off') return null;
    this.#rotate(now);
    return consume(this.#windowOf(networkOf(address), now), 'address', this.#quota, now);
  }

  #windowOf(network: string, now: number): LimitWindow {
    const young = this.#young.get(network);
    if (young !== undefined) return young;
    const window = this.#old.get(network) ?? { minute: 0, current: 0, previous: 0 };
    if (this.#young.size >= this.#half) this.#startGeneration(now);
    this.#old.delete(network);
    this.#young.set(network, window);
    return window;
  }

  #rotate(now: number): void {
    // A clock that was set back extends the generation and evicts nothing.
    if (now < this.#since) this.#since = now;
    if (now - this.#since >= generationLength) this.#startGeneration(now);
  }

  #startGeneration(now: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#since = now;
  }
}
