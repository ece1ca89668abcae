import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Re-renders a component every minute, so that relative times such as "3 minutes ago" stay correct. */
export function useRenderEveryMinute(): void {
  useSyncExternalStore(subscribe, () => Math.floor(Date.now() / 60_000));
}

/** All components share one timer. */
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
