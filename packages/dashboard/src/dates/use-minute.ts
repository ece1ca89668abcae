import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Draws a component again in each minute, so that "3 minutes ago" and "yesterday" stay true while nothing else changes. */
export function useMinute(): void {
  useSyncExternalStore(subscribe, () => Math.floor(Date.now() / 60_000));
}

/** One timer for the whole page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
