/** Consecutive wrong passwords without a delay. */
const freeAttempts = 10;

/** The first delay in ms. Each further wrong password doubles it. */
const initialDelay = 15_000;
const maxDelay = 15 * 60_000;

/** Time in ms without a wrong password after which an entry no longer counts. */
const entryLifetime = 24 * 60 * 60_000;

/** Maximum number of entries. Each one costs an attacker the hash of a wrong password. */
const maxEntries = 10_000;

interface Entry {
  count: number;
  /** Epoch ms of the last one. */
  at: number;
}

/**
 * Slows down password guessing against one account from many addresses. After several consecutive wrong passwords, the
 * next attempt must wait, longer each time. Accounts that do not exist are treated the same way.
 */
export class WrongPasswords {
  readonly #now: () => number;
  /** In order of the last wrong password, oldest first. */
  readonly #entries = new Map<string, Entry>();

  /** @param now epoch ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * @param key groups the attempts that are counted together
   * @returns seconds until the next attempt is admitted; 0 if it may happen now
   */
  secondsToWait(key: string): number {
    const entry = this.#current(key);
    if (entry === undefined || entry.count < freeAttempts) return 0;
    const wait = Math.min(maxDelay, initialDelay * 2 ** (entry.count - freeAttempts));
    // A clock that was set back must not extend the delay.
    return Math.ceil(Math.max(0, Math.min(wait, entry.at + wait - this.#now())) / 1000);
  }

  count(key: string): void {
    const count = (this.#current(key)?.count ?? 0) + 1;
    this.#entries.delete(key);
    this.#entries.set(key, { count, at: this.#now() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Resets the delay after a correct password. */
  clear(key: string): void {
    this.#entries.delete(key);
  }

  #current(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() - entry.at < entryLifetime ? entry : undefined;
  }
}
