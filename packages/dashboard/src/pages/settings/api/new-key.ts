/**
 * The only place that stores the key that was just created, from the response until it is dropped. The object is
 * global, so that a page that fails does not lose the key before it is copied. It is cleared in place, because React
 * retains previous state and props for a while.
 */
import type { CreatedKey } from '@soku/contract/keys';
import { type ComponentType, useEffect, useSyncExternalStore } from 'react';
import { Listeners } from '../../../components/listeners.ts';

interface State {
  created: CreatedKey | null;
  copied: boolean;
  /** Whether the dialog that creates keys is open and shows the key. */
  inDialog: boolean;
  /** Shows the key if that dialog has failed. It is stored with the key, so that nothing has to load then. */
  RescueDialog: ComponentType | null;
}

const state: State = { created: null, copied: false, inDialog: false, RescueDialog: null };
const listeners = new Listeners();
let version = 0;

function change(changes: Partial<State>): void {
  Object.assign(state, changes);
  version += 1;
  listeners.notify();
}

export const storeNewKey = (created: CreatedKey, RescueDialog: ComponentType) =>
  change({ created, copied: false, RescueDialog });

export const markCopied = () => change({ copied: true });

export const dropNewKey = () => change({ created: null, copied: false });

/** Returns the state object itself, so that a component that retains it does not retain the key. */
export function useNewKey(): Readonly<State> {
  useSyncExternalStore(listeners.subscribe, () => version);
  return state;
}

/**
 * For the dialog that shows the key. Leaving its address drops the key once it was copied; before that, leaving is
 * blocked. If the dialog unmounts while its address is still open, it has failed, and RescuedKey shows the key.
 */
export function useNewKeyDialog(): void {
  useEffect(() => {
    const address = window.location.href;
    change({ inDialog: true });
    return () => {
      const left = window.location.href !== address;
      change({ inDialog: false, ...(left && state.copied ? { created: null } : {}) });
    };
  }, []);
}
