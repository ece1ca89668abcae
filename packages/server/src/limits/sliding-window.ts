/**
 * The rule of every limit: a sliding window of a minute in two buckets, without a burst. A request passes while
 *
 *   floor(previous * left / 60000) + current < quota
 *
 * where `left` is how many ms the current minute still has (1 to 60000). All of it is arithmetic of whole numbers:
 * with at most 10^9 requests in a bucket the product stays under 6 * 10^13, and a double holds whole numbers up to
 * 9 * 10^15. The quotient of two such numbers is never rounded up to the next whole one, because it is at least
 * 1/60000 away from it.
 */

/** The requests of one key, or of one address, that passed lately. */
export interface Window {
  /** Epoch minutes. 0 in a new window, which is then as if its last request were long ago. */
  minute: number;
  /** Requests that passed in that minute. */
  current: number;
  /** Requests that passed in the minute before it. */
  previous: number;
}

/** What a limit says of one request; the header fields are made from it. */
export interface LimitState {
  policy: 'key' | 'address';
  /** Requests a minute. */
  limit: number;
  /** How many more would pass at this moment. */
  remaining: number;
  /**
   * Seconds, at least 1. After a pass: until the minute ends and `remaining` begins to grow again. After a refusal:
   * until a request passes, if no other one comes before.
   */
  resetSeconds: number;
  passed: boolean;
}

/** The most that a limit can be, in requests a minute. */
export const maxQuota = 1_000_000_000;

const minuteLength = 60_000;

/**
 * Asks whether one more request passes, and counts it when it does. One that is refused is not counted, so that
 * whoever keeps knocking is let in as soon as whoever waits.
 *
 * @param quota requests a minute, 1 to 10^9
 * @param now epoch ms
 */
export function take(window: Window, policy: LimitState['policy'], quota: number, now: number): LimitState {
  const state = peek(window, policy, quota, now);
  if (!state.passed) return state;
  window.current += 1;
  state.remaining -= 1;
  return state;
}

/** What `take` would say of the next request, without counting it. */
export function peek(window: Window, policy: LimitState['policy'], quota: number, now: number): LimitState {
  advance(window, now);
  const left = (window.minute + 1) * minuteLength - now;
  const remaining = quota - used(window.previous, left) - window.current;
  const passed = remaining > 0;
  const { current, previous } = window;
  const wait = passed
    ? left
    : waitFor(left, { room: quota - current, previous }, { room: quota, previous: current });
  return {
    policy,
    limit: quota,
    remaining: Math.max(0, remaining),
    resetSeconds: Math.ceil(wait / 1000),
    passed,
  };
}

/**
 * Moves a window to the minute of the clock.
 *
 * A clock that is put back frees nothing: the window goes back with it, and everything in it counts as if it had
 * passed just now. Who was refused stays refused, and is let in within two minutes, however far ahead the clock was.
 *
 * @param now epoch ms
 */
export function advance(window: Window, now: number): void {
  const minute = minuteOf(now);
  const ahead = minute - window.minute;
  if (ahead === 0) return;
  if (ahead < 0) {
    window.current = Math.min(maxQuota, window.current + window.previous);
    window.previous = 0;
  } else {
    window.previous = ahead === 1 ? window.current : 0;
    window.current = 0;
  }
  window.minute = minute;
}

/** @returns epoch minutes */
export function minuteOf(now: number): number {
  return Math.floor(now / minuteLength);
}

/** How many of the requests of the minute before still count. @param left ms that the minute still has */
export function used(previous: number, left: number): number {
  return Math.floor((previous * left) / minuteLength);
}

/** What a minute has room for, when nothing counts of the minute before it; and what that one had. */
interface Room {
  room: number;
  previous: number;
}

/**
 * The least number of ms after which a request passes that is refused now.
 *
 * @param left ms until the end of the window's minute
 */
export function waitFor(left: number, now: Room, next: Room): number {
  const thisMinute = latestPass(now);
  if (thisMinute > 0) return left - thisMinute;
  // In the minute after the next one nothing is left of either.
  return left + minuteLength - latestPass(next);
}

/** The most ms that a minute may still have when fewer than `room` of `previous` count; 0: at no moment of it. */
function latestPass({ room, previous }: Room): number {
  if (room <= 0) return 0;
  // floor(previous * left / 60000) < room, which is the same as previous * left < room * 60000.
  return Math.min(minuteLength, Math.ceil((room * minuteLength) / previous) - 1);
}
