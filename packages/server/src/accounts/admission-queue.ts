import { RequestError } from '../http/errors.ts';

/** Maximum number of waiting requests. With 0.5 s per hash, the last one waits about 16 s. */
const defaultMaxWaiting = 32;

/** Estimated duration of one turn, in ms, until the first one is measured. */
const initialEstimate = 500;

/** The client for which a password is hashed. */
export interface PasswordClient {
  /** The network of the client's address, as the rate limits count it. */
  network: string;
  /** Whether this client has signed in to the account before. Such clients go ahead of those that have not. */
  known: boolean;
  /** Aborts when the client disconnects, which removes it from the queue. */
  signal?: AbortSignal;
}

interface Waiting {
  network: string;
  admit: () => void;
  reject: (error: RequestError) => void;
}

interface Options {
  /** How many requests are admitted at a time. */
  slots: number;
  maxWaiting?: number;
  /** Monotonic ms. */
  now?: () => number;
}

/**
 * Admits requests that hash a password: a few at a time, one waiting request per network, known clients first. All
 * others are rejected at once, so sign-ins can neither exhaust the machine nor pile up.
 */
export class AdmissionQueue {
  readonly #slots: number;
  readonly #maxWaiting: number;
  readonly #now: () => number;
  readonly #known: Waiting[] = [];
  readonly #unknown: Waiting[] = [];
  #running = 0;
  /** Duration of the last turn, in ms. */
  #lastDuration = initialEstimate;

  constructor(options: Options) {
    this.#slots = options.slots;
    this.#maxWaiting = options.maxWaiting ?? defaultMaxWaiting;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Runs the work when it is the client's turn.
   *
   * @throws {RequestError} server_busy if too many requests wait, or one from the same network does
   */
  async run<T>(client: PasswordClient, work: () => Promise<T>): Promise<T> {
    await this.#enter(client);
    const began = this.#now();
    try {
      return await work();
    } finally {
      this.#lastDuration = this.#now() - began;
      this.#leave();
    }
  }

  #enter({ network, known, signal }: PasswordClient): Promise<void> | undefined {
    // For a client that has already disconnected, no event would remove it from the queue.
    if (signal?.aborted === true) throw this.#busy();
    if (this.#running < this.#slots) {
      this.#running += 1;
      return undefined;
    }
    const queue = known ? this.#known : this.#unknown;
    // Each queue is checked separately: an unknown client behind the same address must not lock out the account's
    // owner.
    if (queue.some((waiting) => waiting.network === network)) throw this.#busy();
    if (this.#known.length + this.#unknown.length >= this.#maxWaiting) {
      const last = known ? this.#unknown.pop() : undefined;
      if (last === undefined) throw this.#busy();
      last.reject(this.#busy());
    }
    return new Promise((admit, reject) => {
      const waiting = { network, admit, reject };
      queue.push(waiting);
      signal?.addEventListener('abort', () => {
        const place = queue.indexOf(waiting);
        if (place === -1) return;
        queue.splice(place, 1);
        reject(this.#busy());
      });
    });
  }

  /** Passes the slot directly to the next request, so that no other request can take it first. */
  #leave(): void {
    const next = this.#known.shift() ?? this.#unknown.shift();
    if (next === undefined) this.#running -= 1;
    else next.admit();
  }

  #busy(): RequestError {
    const ahead = this.#running + this.#known.length + this.#unknown.length;
    const seconds = Math.max(1, Math.ceil((ahead * this.#lastDuration) / this.#slots / 1000));
    return new RequestError({
      code: 'server_busy',
      message: `The server is checking too many passwords. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
      headers: { 'retry-after': String(seconds) },
    });
  }
}
