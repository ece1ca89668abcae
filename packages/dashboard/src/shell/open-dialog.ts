/** Which dialog of the shell is open. Any part of a page can open one. */
import { useSyncExternalStore } from 'react';
import { Listeners } from '../components/listeners.ts';

export type ShellDialogName = 'jump' | 'shortcuts';

let shown: ShellDialogName | null = null;
const listeners = new Listeners();

/** @param name null to close the open one */
export function openShellDialog(name: ShellDialogName | null): void {
  shown = name;
  listeners.notify();
}

export function useShownDialog(): ShellDialogName | null {
  return useSyncExternalStore(listeners.subscribe, () => shown);
}
