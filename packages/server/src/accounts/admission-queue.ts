import { RequestError } from '../http/errors.ts';

/** Most requests that wait for their turn. With a hash of half a second the last one waits about 16 s. */
const mostWaiting = 32;

/** ms that one turn takes before the first one was measured. */
const firstGuess = 500;

/** On whose behalf a password is hashed. */
export interface PasswordClient {
  /** Network of the client's address, as limits count it. */
  network: string;
  /** Whether this client has signed in to the account before: it goes ahead of those who have not. */
  known: boolean;
  /** Aborts when the client has gone: then it gives its place up. */
  signal?: AbortSignal;
}

interface Waiting {
  network: string;
  admit: () => void;
  reject: (error: RequestError) => void;
}

interface Options {
  /** How many have their turn at a time. */
  slots: number;
  mostWaiting?: number;
  /** Monotonic ms. */
  now?: () => number;
}

/**
 * Admits requests that hash a password: a few at a time, one waiting request per network, known clients first. What is
 * more is rejected at once, so sign-ins can neither exhaust the machine nor pile up.
 */
export class AdmissionQueue {
  readonly #slots: number;
  readonly #mostWaiting: number;
  readonly #now: () => number;
  readonly #known: Waiting[] = [];
  readonly #strangers: Waiting[] = [];
  #running = 0;
  /** ms that the last turn took. */
  #took = firstGuess;

  constructor(options: Options) {
    this.#slots = options.slots;
    this.#mostWaiting = options.mostWaiting ?? mostWaiting;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Does the work when it is the client's turn.
   *
   * @throws {RequestError} server_busy when too many wait, or one of the same network waits
   */
  async run<T>(client: PasswordClient, work: () => Promise<T>): Promise<T> {
    await this.#enter(client);
    const began = this.#now();
    try {
      return await work();
    } finally {
      this.#took = this.#now() - began;
      this.#leave();
    }
  }

  #enter({ network, known, signal }: PasswordClient): Promise<void> | undefined {
    // A client that has gone already fires no event that would give its place up.
    if (signal?.aborted === true) throw this.#busy();
    if (this.#running < this.#slots) {
      this.#running += 1;
      return undefined;
    }
    const line = known ? this.#known : this.#strangers;
    // Each line by itself: a stranger behind the same address must not keep the account's owner out.
    if (line.some((waiting) => waiting.network === network)) throw this.#busy();
    if (this.#known.length + this.#strangers.length >= this.#mostWaiting) {
      const last = known ? this.#strangers.pop() : undefined;
      if (last === undefined) throw this.#busy();
      last.reject(this.#busy());
    }
    return new Promise((admit, reject) => {
      const waiting = { network, admit, reject };
      line.push(waiting);
      signal?.addEventListener('abort', () => {
        const place = line.indexOf(waiting);
        if (place === -1) return;
        line.splice(place, 1);
        reject(this.#busy());
      });
    });
  }

  /** The slot goes to the next one without becoming free in between, so nobody overtakes. */
  #leave(): void {
    const next = this.#known.shift() ?? this.#strangers.shift();
    if (next === undefined) this.#running -= 1;
    else next.admit();
  }

  #busy(): RequestError {
    const ahead = this.#running + this.#known.length + this.#strangers.length;
    const seconds = Math.max(1, Math.ceil((ahead * this.#took) / this.#slots / 1000));
    return new RequestError({
      code: 'server_busy',
      message: `Too many passwords are being checked at the moment. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
      headers: { 'retry-after': String(seconds) },
    });
  }
}
