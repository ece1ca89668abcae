import { type ClusterTime, minuteStart } from './cluster-time.ts';
import type { GrantRounds } from './grant-rounds.ts';
import type { GrantRequest, GrantResult } from './postgres-grants.ts';
import {
  advance,
  type LimitState,
  type LimitWindow,
  minuteOf,
  msUntilPass,
  weightedPrevious,
} from './sliding-window.ts';

/** Together, the nodes may accept 1/20 of a limit without grants. Each has an equal share of it. */
const shareDivisor = 20;

/**
 * The window of a key on one of several nodes: `current` and `previous` are what all nodes may accept, as far as this
 * node knows, and `left` is what it may still accept itself in the current minute.
 */
export interface GrantedWindow extends LimitWindow {
  left: number;
}

/** Returns the id of a row's key. It is called only at the first request of a minute, and to request a grant. */
interface Owners {
  keyId(row: number): string;
}

interface Options {
  time: ClusterTime;
  rounds: Pick<GrantRounds, 'wait' | 'prefetch' | 'returnUnused'>;
  windowOf: (keyId: string) => GrantedWindow;
}

/**
 * Limits keys across several nodes. In each minute a node may accept its share of a limit without a grant. Beyond that,
 * it takes grants from the database, and requests more before they run out. Shares and grants expire with the minute.
 *
 * A request passes while the node has something left and the window has room as far as the node knows. With a single
 * node, this is the rule of sliding-window.ts.
 */
export class Grants {
  readonly #options: Options;
  readonly #time: ClusterTime;

  constructor(options: Options) {
    this.#options = options;
    this.#time = options.time;
  }

  /**
   * Counts a request of a key, if this node can decide about it.
   *
   * @param now epoch ms, by this node's clock
   * @returns undefined if the key needs a grant
   */
  take(
    window: GrantedWindow,
    quota: number,
    now: number,
    owners: Owners,
    row: number,
  ): LimitState | undefined {
    const time = this.#time.of(now);
    if (minuteOf(time) !== window.minute) this.#moveTo(window, quota, time, now, owners.keyId(row));
    const msLeft = minuteStart(window.minute + 1) - time;
    const room = quota - window.current - weightedPrevious(window.previous, msLeft);
    const remaining = window.left + room;
    if (remaining <= 0) return this.#reject(window, quota, msLeft);
    if (window.left === 0) return undefined;
    window.left -= 1;
    if (room > 0 && (window.left + 1) * 2 * shareDivisor * this.#time.nodes <= quota) {
      this.#options.rounds.prefetch(owners.keyId(row), quota);
    }
    return {
      policy: 'key',
      limit: quota,
      remaining: remaining - 1,
      resetSeconds: Math.ceil(msLeft / 1000),
      passed: true,
    };
  }

  /** Resolves when the database has decided about a grant for a key, or to false if the database does not respond. */
  wait(keyId: string, quota: number): Promise<boolean> {
    return this.#options.rounds.wait(keyId, quota);
  }

  /**
   * Applies a result of the database.
   *
   * @param now arrival time in epoch ms, by this node's clock
   * @returns ms to wait before another grant is requested: until the database reaches this node's minute; otherwise 0
   */
  receive({ keyId, quota, wanted }: GrantRequest, granted: GrantResult, now: number): number {
    const window = this.#options.windowOf(keyId);
    const time = this.#time.of(now);
    if (minuteOf(time) !== window.minute) this.#moveTo(window, quota, time, now, keyId);
    // The grant has expired on this node.
    if (granted.minute !== window.minute) return Math.max(0, minuteStart(window.minute) - granted.at);
    window.left += granted.granted;
    window.current = granted.current;
    // The database may not know what passed here without a grant.
    window.previous = Math.max(window.previous, granted.previous);
    if (granted.granted > 0 || !wanted) return 0;
    // No room, even if this node's clock is slightly ahead: waiting requests are rejected instead of retried.
    const counted = weightedPrevious(window.previous, minuteStart(window.minute + 1) - time);
    window.current = Math.max(window.current, quota - counted);
    return 0;
  }

  /** Moves a window to another minute. */
  #moveTo(window: GrantedWindow, quota: number, time: number, now: number, keyId: string): void {
    const { minute: before, current: allowed, left } = window;
    advance(window, time);
    window.left = 0;
    if (window.minute < before) {
      // The clock was set back. Everything in the window now counts against the limit, for two minutes at most, so this
      // asks the database for its own count.
      this.#options.rounds.prefetch(keyId, quota);
      return;
    }
    window.previous = Math.max(0, window.previous - left);
    window.left = this.#share(quota, window.minute, now);
    window.current = window.left > 0 ? Math.floor(quota / shareDivisor) : 0;
    const sharesBefore = this.#share(quota, before, now) > 0 ? Math.floor(quota / shareDivisor) : 0;
    if (left > 0 && allowed > sharesBefore && window.minute === before + 1) {
      this.#options.rounds.returnUnused(keyId, quota, before, left);
    }
  }

  #share(quota: number, minute: number, now: number): number {
    const nodes = this.#time.sharing(minute, now);
    return nodes === 0 ? 0 : Math.floor(quota / (shareDivisor * nodes));
  }

  #reject({ current, previous, left }: GrantedWindow, quota: number, msLeft: number): LimitState {
    const { nodes } = this.#time;
    const others = Math.floor(quota / shareDivisor) - Math.floor(quota / (shareDivisor * nodes));
    const next = quota < shareDivisor * nodes ? quota : quota - others;
    const wait = msUntilPass(
      msLeft,
      { room: left + quota - current, previous },
      { room: next, previous: current - left },
    );
    return { policy: 'key', limit: quota, remaining: 0, resetSeconds: Math.ceil(wait / 1000), passed: false };
  }
}
