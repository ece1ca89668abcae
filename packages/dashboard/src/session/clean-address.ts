import { decodePercent, mayContainKey } from '@soku/key';
import { withBasePath } from '../base-path.ts';

/** The hash of the key in the address with which this page was opened; '' if there was none. */
export let hashFromAddress = '';

/**
 * Removes a key from the address before the router, a request or the redirect to the login page can read it. An
 * address that may contain a key is replaced before the code that checks it loads, and stays replaced if that code
 * fails to load.
 */
export async function removeKeyFromAddress({ location, history }: Window): Promise<void> {
  const { href } = location;
  if (!mayContainKey(decodePercent(href))) return;
  const { state } = history;
  history.replaceState(null, '', withBasePath('/'));
  const read = await import('./read-address.ts').then(
    ({ readAddress }) => readAddress(new URL(href)),
    () => undefined,
  );
  if (read === undefined) return;
  if (read === null) return history.replaceState(state, '', href);
  hashFromAddress = read.hash;
  history.replaceState(null, '', withBasePath(read.next));
}
