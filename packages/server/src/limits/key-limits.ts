import type { GrantedWindow } from './grants.ts';
import type { LimitWindows } from './limits.ts';
import { advance, type LimitWindow, minuteOf } from './sliding-window.ts';

/** The window of a key. A holder must request it again once it is dropped. */
export interface KeyWindow extends GrantedWindow {
  dropped: boolean;
}

/** Number of `sweep` calls that cover all windows once. */
const callsForAll = 60;

/** Minimum number of windows that one `sweep` call checks. */
const leastSlice = 1000;

/** The windows of recently used keys. Memory grows with their number, not with the number of all keys. */
export class KeyLimits implements LimitWindows {
  readonly #windows = new Map<string, KeyWindow>();
  /** Where the sweep continues. A Map iterator stays valid when the Map changes. */
  #unswept = this.#windows.entries();

  get size(): number {
    return this.#windows.size;
  }

  /** Removes the window of a key. @returns undefined if it has none */
  take(keyId: string): GrantedWindow | undefined {
    const known = this.#windows.get(keyId);
    if (known === undefined) return undefined;
    known.dropped = true;
    this.#windows.delete(keyId);
    const { minute, current, previous, left } = known;
    return { minute, current, previous, left };
  }

  /** Returns the window of a key, creating it if necessary. Valid until its `dropped` is set. */
  ofKey(keyId: string): KeyWindow {
    const known = this.#windows.get(keyId);
    if (known !== undefined) return known;
    const window: KeyWindow = { minute: 0, current: 0, previous: 0, left: 0, dropped: false };
    this.#windows.set(keyId, window);
    return window;
  }

  /** Restores the window that a key had in the previous process. */
  restore(keyId: string, window: LimitWindow): void {
    Object.assign(this.ofKey(keyId), window);
  }

  /** The windows that still affect a limit. */
  *counting(now: number): Iterable<readonly [string, KeyWindow]> {
    for (const entry of this.#windows) if (counts(entry[1], now)) yield entry;
  }

  /**
   * Drops windows that no longer affect a limit, two minutes after their last request. It is called once per second and
   * checks 1/60 of the windows, so that even with a million keys it blocks verification for about a millisecond.
   *
   * @param now epoch ms
   */
  sweep(now: number): void {
    const slice = Math.max(leastSlice, Math.ceil(this.#windows.size / callsForAll));
    for (let seen = 0; seen < slice; seen++) {
      const next = this.#unswept.next();
      if (next.done === true) {
        this.#unswept = this.#windows.entries();
        return;
      }
      const [keyId, window] = next.value;
      if (counts(window, now)) continue;
      window.dropped = true;
      this.#windows.delete(keyId);
    }
  }
}

/** Whether a window still affects a limit. It is not advanced, because its grants belong to its minute. */
function counts(window: KeyWindow, now: number): boolean {
  const minute = minuteOf(now);
  if (window.minute > minute) {
    advance(window, now);
    window.left = 0;
  }
  return window.minute >= minute - 1 && window.minute > 0;
}
