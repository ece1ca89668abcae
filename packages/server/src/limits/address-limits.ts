import { networkOf } from './network.ts';
import { type LimitState, take, type Window } from './sliding-window.ts';

/** How long a generation of addresses lasts at most, in ms: two minutes, after which a window counts nothing. */
const generationLength = 120_000;

/**
 * The limit of malformed and unknown credentials from one address, so that guessing is slow. A whole /64 of IPv6
 * counts as one address, because whoever has one address of it has all of them.
 *
 * Memory is bounded whatever comes: addresses live in two generations, each with half of the bound. A use moves an
 * address into the younger one; when that is full, or two minutes old, it becomes the older one, and what was left
 * in the older one is forgotten. So an address is forgotten early only when, since its last request, half of the
 * bound of *other* addresses have come, each with a request that counted against itself. Whoever has that many
 * gains nothing from it: the allowances of those others are worth far more than the one that was freed.
 */
export class AddressLimits {
  readonly #quota: number | 'off';
  readonly #half: number;
  #young = new Map<string, Window>();
  #old = new Map<string, Window>();
  /** Epoch ms: when the younger generation began. */
  #since = 0;

  /**
   * @param quota requests a minute
   * @param bound most addresses in memory, at least 2
   */
  constructor(quota: number | 'off', bound = 100_000) {
    this.#quota = quota;
    this.#half = Math.floor(bound / 2);
  }

  /** Addresses in memory. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * Counts one request with malformed or unknown credentials.
   *
   * @param address IPv4 or IPv6; anything else is one address together with all else that is none
   * @param now epoch ms
   * @returns null when there is no limit
   */
  take(address: string, now: number): LimitState | null {
    if (this.#quota === 'off') return null;
    this.#turn(now);
    return take(this.#windowOf(networkOf(address), now), 'address', this.#quota, now);
  }

  #windowOf(network: string, now: number): Window {
    const young = this.#young.get(network);
    if (young !== undefined) return young;
    const window = this.#old.get(network) ?? { minute: 0, current: 0, previous: 0 };
    if (this.#young.size >= this.#half) this.#begin(now);
    this.#old.delete(network);
    this.#young.set(network, window);
    return window;
  }

  #turn(now: number): void {
    // A clock that was put back lengthens the generation, and forgets nobody.
    if (now < this.#since) this.#since = now;
    if (now - this.#since >= generationLength) this.#begin(now);
  }

  #begin(now: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#since = now;
  }
}
