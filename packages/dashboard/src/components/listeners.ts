/** The subscribers of a value outside React, for useSyncExternalStore. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  /** Returns the function that unsubscribes. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Call it after each change of the value. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
