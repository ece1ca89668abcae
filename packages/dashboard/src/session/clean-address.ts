import { decodePercent, mayHoldKey } from '@soku/key';

/** The hash of the key that the address held with which this page was opened; '' when it held none. */
export let hashFromAddress = '';

/**
 * Takes a key out of the address before anything reads it: the router, a request, the way to the login page. An address
 * that may hold one is replaced before the code loads that judges it, and stays replaced when that does not load.
 */
export async function cleanAddress({ location, history }: Window): Promise<void> {
  const { href } = location;
  if (!mayHoldKey(decodePercent(href))) return;
  const { state } = history;
  history.replaceState(null, '', '/');
  const read = await import('./read-address.ts').then(
    ({ readAddress }) => readAddress(new URL(href)),
    () => undefined,
  );
  if (read === undefined) return;
  if (read === null) return history.replaceState(state, '', href);
  hashFromAddress = read.hash;
  history.replaceState(null, '', read.next);
}
