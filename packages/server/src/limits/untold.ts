/** What of a window the database has been told, and what not. */
import type { KeyWindow } from './key-limits.ts';
import type { Told } from './shared-windows.ts';
import { advance, type Window } from './sliding-window.ts';

/** How many requests passed here that were not told. @param time epoch ms, by the database's clock */
export function countUntold(window: KeyWindow, time: number): number {
  window.told ??= { minute: window.minute, current: 0, previous: 0 };
  const { told } = window;
  advance(window, time);
  advance(told, time);
  return window.current - told.current + window.previous - told.previous;
}

/** The same, by minutes. */
export function untoldOf(window: KeyWindow, time: number): Window {
  countUntold(window, time);
  return less(window, window.told);
}

/** Puts what the database says into a window, and on top of it what passed here since the telling was sent. */
export function replace(
  window: KeyWindow,
  sent: Window,
  { minute, current, previous }: Told,
  time: number,
): void {
  const [told, passed] = [{ minute, current, previous }, { ...sent }];
  advance(told, time);
  advance(passed, time);
  const since = less(untoldOf(window, time), passed);
  window.current = told.current + since.current;
  window.previous = told.previous + since.previous;
  window.told = told;
}

/** Both of the same minute. */
function less(window: Window, part: Window | undefined): Window {
  return {
    minute: window.minute,
    current: Math.max(0, window.current - (part?.current ?? 0)),
    previous: Math.max(0, window.previous - (part?.previous ?? 0)),
  };
}
