import { type ClusterTime, minuteStart } from './cluster-time.ts';
import type { GrantRounds } from './grant-rounds.ts';
import type { Granted, GrantRequest } from './postgres-grants.ts';
import { advance, type LimitState, minuteOf, used, type Window, waitFor } from './sliding-window.ts';

/** The nodes may let pass a twentieth of a limit unasked, each an even part of it. */
const unasked = 20;

/**
 * The window of a key on one of several nodes: `current` and `previous` are what the nodes may let pass, as far as this
 * one knows, and `left` is what it may let pass itself before that minute ends.
 */
export interface GrantedWindow extends Window {
  left: number;
}

/** Tells whose window it is; called only when the database is to be asked. */
interface Whose {
  keyId(row: number): string;
}

interface Options {
  time: ClusterTime;
  rounds: Pick<GrantRounds, 'wait' | 'prefetch' | 'giveBack'>;
  windowOf: (keyId: string) => GrantedWindow;
}

/**
 * Limits of keys over several nodes. In each minute a node may let pass its share of a limit unasked. Beyond it, it
 * takes grants from the database, and more of them before they run out. Both end with the minute.
 *
 * A request passes while the node has something left, and the window has room as far as the node knows. So a node alone
 * refuses as the rule of sliding-window.ts does.
 */
export class Grants {
  readonly #options: Options;
  readonly #time: ClusterTime;

  constructor(options: Options) {
    this.#options = options;
    this.#time = options.time;
  }

  /**
   * Counts a request of a key, if it can be decided here.
   *
   * @param now epoch ms, by this node's clock
   * @returns undefined when the key needs a grant
   */
  take(window: GrantedWindow, quota: number, now: number, whose: Whose, row: number): LimitState | undefined {
    const time = this.#time.of(now);
    if (minuteOf(time) !== window.minute) this.#turn(window, quota, time, now, whose.keyId(row));
    const msLeft = minuteStart(window.minute + 1) - time;
    const room = quota - window.current - used(window.previous, msLeft);
    const remaining = window.left + room;
    if (remaining <= 0) return this.#refuse(window, quota, msLeft);
    if (window.left === 0) return undefined;
    window.left -= 1;
    if (room > 0 && (window.left + 1) * 2 * unasked * this.#time.nodes <= quota) {
      this.#options.rounds.prefetch(whose.keyId(row), quota);
    }
    return {
      policy: 'key',
      limit: quota,
      remaining: remaining - 1,
      resetSeconds: Math.ceil(msLeft / 1000),
      passed: true,
    };
  }

  /** Resolves when the database has said what it grants to a key; false: it does not answer. */
  wait(keyId: string, quota: number): Promise<boolean> {
    return this.#options.rounds.wait(keyId, quota);
  }

  /**
   * Takes in what the database says.
   *
   * @param now epoch ms by this node's clock, at which it arrived
   * @returns ms after which it makes sense to ask again, because the database is not yet in the minute of this node
   */
  receive({ keyId, quota, wanted }: GrantRequest, granted: Granted, now: number): number {
    const window = this.#options.windowOf(keyId);
    const time = this.#time.of(now);
    if (minuteOf(time) !== window.minute) this.#turn(window, quota, time, now, keyId);
    // What was granted has ended here.
    if (granted.minute !== window.minute) return Math.max(0, minuteStart(window.minute) - granted.at);
    window.left += granted.granted;
    window.current = granted.current;
    // What passed here unasked the database need not know.
    window.previous = Math.max(window.previous, granted.previous);
    if (granted.granted > 0 || !wanted) return 0;
    // No room, also when this node's clock is a little ahead: whoever waits is refused, and does not ask again.
    const counted = used(window.previous, minuteStart(window.minute + 1) - time);
    window.current = Math.max(window.current, quota - counted);
    return 0;
  }

  /** Moves a window to another minute. */
  #turn(window: GrantedWindow, quota: number, time: number, now: number, keyId: string): void {
    const { minute: before, current: allowed, left } = window;
    advance(window, time);
    window.left = 0;
    if (window.minute < before) {
      // The clock was put back. Whoever waits is let in two minutes after the database knows it.
      this.#options.rounds.prefetch(keyId, quota);
      return;
    }
    window.previous = Math.max(0, window.previous - left);
    window.left = this.#share(quota, window.minute, now);
    window.current = window.left > 0 ? Math.floor(quota / unasked) : 0;
    const unaskedBefore = this.#share(quota, before, now) > 0 ? Math.floor(quota / unasked) : 0;
    if (left > 0 && allowed > unaskedBefore && window.minute === before + 1) {
      this.#options.rounds.giveBack(keyId, quota, before, left);
    }
  }

  #share(quota: number, minute: number, now: number): number {
    const nodes = this.#time.sharing(minute, now);
    return nodes === 0 ? 0 : Math.floor(quota / (unasked * nodes));
  }

  #refuse({ current, previous, left }: GrantedWindow, quota: number, msLeft: number): LimitState {
    const { nodes } = this.#time;
    const others = Math.floor(quota / unasked) - Math.floor(quota / (unasked * nodes));
    const next = quota < unasked * nodes ? quota : quota - others;
    const wait = waitFor(
      msLeft,
      { room: left + quota - current, previous },
      { room: next, previous: current - left },
    );
    return { policy: 'key', limit: quota, remaining: 0, resetSeconds: Math.ceil(wait / 1000), passed: false };
  }
}
