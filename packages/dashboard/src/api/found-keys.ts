import { queryOptions } from '@tanstack/react-query';
import { fetchKeys } from './keys.ts';

const maxFound = 8;

/**
 * The newest keys that match, in any status.
 *
 * @param search part of the name, preview or id, or the SHA-256 of a key in hexadecimal
 */
export function foundKeysOptions(search: { q: string } | { hash: string }) {
  return queryOptions({
    queryKey: ['keys', 'found', search],
    queryFn: ({ signal }) => fetchKeys({ status: 'all', limit: maxFound, ...search }, signal),
    meta: { isOutsidePage: true },
  });
}
