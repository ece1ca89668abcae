/**
 * The rule of every limit: a sliding window of one minute with two buckets and no burst. A request passes while
 *
 *   floor(previous * left / 60000) + current < quota
 *
 * where `left` is the number of ms left in the current minute (1 to 60000). The arithmetic is exact: with at most 10^9
 * requests per bucket the product stays below 6 * 10^13, and a double represents integers up to 9 * 10^15. The quotient
 * is never rounded up to the next integer, because it is at least 1/60000 away from it.
 */

/** The recent accepted requests of one key or one IP address. */
export interface LimitWindow {
  /** Epoch minutes. 0 in a new window, as if its last request were long ago. */
  minute: number;
  /** Requests that passed in that minute. */
  current: number;
  /** Requests that passed in the previous minute. */
  previous: number;
}

/** The state of a limit after one request, from which the header fields are built. */
export interface LimitState {
  policy: 'key' | 'address';
  /** Requests per minute. */
  limit: number;
  /** How many more requests would pass at this moment. */
  remaining: number;
  /**
   * Seconds, at least 1. If the request passed: until the minute ends and `remaining` starts to grow again. If it was
   * rejected: until a request passes, provided that no other request comes before.
   */
  resetSeconds: number;
  passed: boolean;
}

/** The maximum limit, in requests per minute. */
export const maxQuota = 1_000_000_000;

const minuteLength = 60_000;

/**
 * Checks whether one more request passes, and counts it if it does. A rejected request is not counted, so a client that
 * keeps sending is accepted as soon as one that waits.
 *
 * @param quota requests per minute, 1 to 10^9
 * @param now epoch ms
 */
export function consume(
  window: LimitWindow,
  policy: LimitState['policy'],
  quota: number,
  now: number,
): LimitState {
  const state = peek(window, policy, quota, now);
  if (!state.passed) return state;
  window.current += 1;
  state.remaining -= 1;
  return state;
}

/** The state that the next request would get, without counting it. */
export function peek(
  window: LimitWindow,
  policy: LimitState['policy'],
  quota: number,
  now: number,
): LimitState {
  advance(window, now);
  const left = (window.minute + 1) * minuteLength - now;
  const remaining = quota - weightedPrevious(window.previous, left) - window.current;
  const passed = remaining > 0;
  const { current, previous } = window;
  const wait = passed
    ? left
    : msUntilPass(left, { room: quota - current, previous }, { room: quota, previous: current });
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
 * A clock that is set back frees nothing: the window moves back with it, and everything in it counts as if it had just
 * passed. A client that was rejected stays rejected, for at most two minutes, however far ahead the clock was.
 *
 * @param now epoch ms
 */
export function advance(window: LimitWindow, now: number): void {
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

/** How many requests of the previous minute still count. @param left ms left in the current minute */
export function weightedPrevious(previous: number, left: number): number {
  return Math.floor((previous * left) / minuteLength);
}

/** The room in a minute if nothing of the previous minute counts, and the requests of the previous minute. */
interface Room {
  room: number;
  previous: number;
}

/**
 * The minimum number of ms until a request that is rejected now would pass.
 *
 * @param left ms until the end of the window's minute
 */
export function msUntilPass(left: number, now: Room, next: Room): number {
  const thisMinute = latestPass(now);
  if (thisMinute > 0) return left - thisMinute;
  // In the minute after the next one neither bucket counts.
  return left + minuteLength - latestPass(next);
}

/** The maximum ms left in a minute at which fewer than `room` of `previous` count; 0 if there is no such moment. */
function latestPass({ room, previous }: Room): number {
  if (room <= 0) return 0;
  // floor(previous * left / 60000) < room, which is the same as previous * left < room * 60000.
  return Math.min(minuteLength, Math.ceil((room * minuteLength) / previous) - 1);
}
