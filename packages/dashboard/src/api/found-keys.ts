import { keyListSchema } from '@soku/contract/keys';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

const maxFound = 8;

/**
 * The newest keys that match, in any status.
 *
 * @param search part of the name, preview or id, or the SHA-256 of a key in hexadecimal
 */
export function foundKeysOptions(search: { q: string } | { hash: string }) {
  const query = new URLSearchParams({ status: 'all', limit: String(maxFound), ...search });
  return queryOptions({
    queryKey: ['keys', 'found', search],
    queryFn: ({ signal }) => callApi(`/v1/api-keys?${query}`, { schema: keyListSchema, signal }),
    meta: { isOutsidePage: true },
  });
}
