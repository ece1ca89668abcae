import { isSessionOver } from './client.ts';

/** Milliseconds. */
export const refreshEvery = 10_000;

/**
 * For a page that stays open: it learns of what happens on other machines while it is visible, focused or not. Without a
 * session it stops: each answer would ask again for the password that somebody has just declined to give.
 */
export function refreshWhileSignedIn({ state }: { state: { error: unknown } }): number | false {
  return isSessionOver(state.error) ? false : refreshEvery;
}
