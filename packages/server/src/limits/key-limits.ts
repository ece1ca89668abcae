import type { GrantedWindow } from './grants.ts';
import type { Windows } from './limits.ts';
import { advance, minuteOf, type Window } from './sliding-window.ts';

/** The window of a key. Whoever keeps it beside the key asks for it anew once it is dropped. */
export interface KeyWindow extends GrantedWindow {
  dropped: boolean;
}

/** Calls of `sweep` that see every window once. */
const callsForAll = 60;

/** The least number of windows that one call of `sweep` looks at. */
const leastSlice = 1000;

/** The windows of the keys that were used lately. Memory grows with those keys, not with all that exist. */
export class KeyLimits implements Windows {
  readonly #windows = new Map<string, KeyWindow>();
  /** Where the sweep goes on. An iterator of a Map lives through changes of it. */
  #unswept = this.#windows.entries();

  get size(): number {
    return this.#windows.size;
  }

  /** Takes the window of a key out. @returns undefined when it has none */
  take(keyId: string): GrantedWindow | undefined {
    const known = this.#windows.get(keyId);
    if (known === undefined) return undefined;
    known.dropped = true;
    this.#windows.delete(keyId);
    const { minute, current, previous, left } = known;
    return { minute, current, previous, left };
  }

  /** The one window of a key, made when it has none. Good until its `dropped` is set. */
  ofKey(keyId: string): KeyWindow {
    const known = this.#windows.get(keyId);
    if (known !== undefined) return known;
    const window: KeyWindow = { minute: 0, current: 0, previous: 0, left: 0, dropped: false };
    this.#windows.set(keyId, window);
    return window;
  }

  /** Gives a key the window that it had in the process before. */
  restore(keyId: string, window: Window): void {
    Object.assign(this.ofKey(keyId), window);
  }

  /** The windows that still count something. */
  *counting(now: number): Iterable<readonly [string, KeyWindow]> {
    for (const entry of this.#windows) if (counts(entry[1], now)) yield entry;
  }

  /**
   * Drops windows that count nothing any more, which they do when two minutes have passed since their last request.
   * For a timer of a second: a call looks at a sixtieth of them, so that even with a million keys verification stands
   * still for about a millisecond.
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

/** Whether a window can still make a difference. It does not move on: what is left of grants is left of its minute. */
function counts(window: KeyWindow, now: number): boolean {
  const minute = minuteOf(now);
  if (window.minute > minute) {
    advance(window, now);
    window.left = 0;
  }
  return window.minute >= minute - 1 && window.minute > 0;
}
