/**
 * The age of the oldest uses that this process may not have written yet. Other servers of the same database need this
 * before they disable a key as idle.
 */
export class FlushAge {
  readonly #monotonic: () => number;
  /** Monotonic ms: all uses that were counted before this are written. */
  #writtenUntil: number;
  #failing = false;

  /** Create it before the first use is counted. @param monotonic ms */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
    this.#writtenUntil = monotonic();
  }

  /** In ms; undefined after a failed flush. */
  get ms(): number | undefined {
    return this.#failing ? undefined : Math.ceil(this.#monotonic() - this.#writtenUntil);
  }

  /** Runs a flush, which writes everything that was counted before it. */
  async during(flush: () => Promise<void>): Promise<void> {
    const begun = this.#monotonic();
    try {
      await flush();
      this.#writtenUntil = begun;
      this.#failing = false;
    } catch (error) {
      this.#failing = true;
      throw error;
    }
  }
}
