/** Wrong passwords in a row without a delay. */
const free = 10;

/** ms of the first delay; each further wrong password doubles it. */
const firstWait = 15_000;
const longestWait = 15 * 60_000;

/** ms without a wrong password after which an entry is deleted. */
const memory = 24 * 60 * 60_000;

/** Most entries. Each one costs an attacker the hash of a wrong password. */
const mostEntries = 10_000;

interface Entry {
  count: number;
  /** Epoch ms of the last one. */
  at: number;
}

/**
 * Slows down guessing at one account from many addresses: after some wrong passwords in a row, the next attempt must
 * wait, longer each time. It treats accounts that do not exist alike.
 */
export class WrongPasswords {
  readonly #now: () => number;
  /** In the order of the last wrong password, the oldest first. */
  readonly #entries = new Map<string, Entry>();

  /** @param now epoch ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * @param key whose attempts are counted together
   * @returns seconds until the next attempt is admitted; 0 when one is now
   */
  secondsToWait(key: string): number {
    const entry = this.#current(key);
    if (entry === undefined || entry.count < free) return 0;
    const wait = Math.min(longestWait, firstWait * 2 ** (entry.count - free));
    // A clock that was set back must not extend the delay.
    return Math.ceil(Math.max(0, Math.min(wait, entry.at + wait - this.#now())) / 1000);
  }

  count(key: string): void {
    const count = (this.#current(key)?.count ?? 0) + 1;
    this.#entries.delete(key);
    this.#entries.set(key, { count, at: this.#now() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Resets the delay after a correct password. */
  clear(key: string): void {
    this.#entries.delete(key);
  }

  #current(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() - entry.at < memory ? entry : undefined;
  }
}
