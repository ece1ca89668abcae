/** Which dialog of the shell is open. Any part of a page can open one. */
import { useSyncExternalStore } from 'react';

export type ShellDialogName = 'jump' | 'shortcuts';

let shown: ShellDialogName | null = null;
const listeners = new Set<() => void>();

/** @param name null to close the open one */
export function openShellDialog(name: ShellDialogName | null): void {
  shown = name;
  for (const listener of listeners) listener();
}

export function useShownDialog(): ShellDialogName | null {
  return useSyncExternalStore(subscribe, () => shown);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
