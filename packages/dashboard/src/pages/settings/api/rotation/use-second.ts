import { useSyncExternalStore } from 'react';

/** Epoch ms, in whole seconds. Re-renders the component every second. */
export function useCurrentSecond(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / 1000) * 1000);
}

/**
 * Re-renders the component when the time has come.
 *
 * @param at epoch ms
 */
export function useRenderAt(at: number | undefined): void {
  useSyncExternalStore(subscribe, () => at !== undefined && Date.now() >= at);
}

/**
 * A value that depends on the time.
 *
 * @param read returns the value at a time in epoch ms
 */
export function useTimedValue(read: (now: number) => number): number {
  return useSyncExternalStore(subscribe, () => read(Date.now()));
}

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, 250);
  return () => clearInterval(timer);
}
