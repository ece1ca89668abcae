/**
 * The key that was just created, from the response until it is dropped: in this one object and nowhere else. It is above
 * every page, so that no failure of a page takes the key away before it is copied. It is emptied in place, because React
 * holds on to earlier states and props for a while.
 */
import type { CreatedKey } from '@soku/contract/keys';
import { type ComponentType, useEffect, useSyncExternalStore } from 'react';

interface State {
  created: CreatedKey | null;
  copied: boolean;
  /** Whether the dialog that creates keys is there to show it. */
  inDialog: boolean;
  /** Shows the key when that dialog has failed. It comes with the key, as nothing may have to load by then. */
  RescueDialog: ComponentType | null;
}

const state: State = { created: null, copied: false, inDialog: false, RescueDialog: null };
const listeners = new Set<() => void>();
let version = 0;

function change(changes: Partial<State>): void {
  Object.assign(state, changes);
  version += 1;
  for (const listener of listeners) listener();
}

export const keepNewKey = (created: CreatedKey, RescueDialog: ComponentType) =>
  change({ created, copied: false, RescueDialog });

export const markCopied = () => change({ copied: true });

export const dropNewKey = () => change({ created: null, copied: false });

/** The holder itself, so that a component that keeps it keeps no key. */
export function useNewKey(): Readonly<State> {
  useSyncExternalStore(subscribe, () => version);
  return state;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * For the dialog that shows the key. Leaving its address drops a key that was copied; nothing leaves it before. A dialog
 * that goes away while its address stays has failed, and the key is shown by RescuedKey.
 */
export function useShowsNewKey(): void {
  useEffect(() => {
    const address = window.location.href;
    change({ inDialog: true });
    return () => {
      const left = window.location.href !== address;
      change({ inDialog: false, ...(left && state.copied ? { created: null } : {}) });
    };
  }, []);
}
