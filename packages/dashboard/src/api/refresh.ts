import { isSessionEnded } from './client.ts';

/** Milliseconds. */
export const refreshInterval = 10_000;

/**
 * Refreshes a page while it is visible, focused or not, so that it shows changes made elsewhere. It stops when the
 * session has ended: each response would ask again for the password that the user has just declined to enter.
 */
export function refreshWhileSignedIn({ state }: { state: { error: unknown } }): number | false {
  return isSessionEnded(state.error) ? false : refreshInterval;
}
