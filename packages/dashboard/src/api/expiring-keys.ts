import { type Key, keyListSchema } from '@soku/contract/keys';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

const fortnight = 14 * 24 * 3600 * 1000;
const pageSize = 100;
const maxPages = 5;

/** The API cannot filter keys by expiration date, so the overview checks only this many and says so. */
export const maxCheckedKeys = pageSize * maxPages;

type ExpiringKey = Key & { expiresAt: string };

export const expiringKeysOptions = queryOptions({
  queryKey: ['keys', 'expiring'],
  queryFn: async ({ signal }) => {
    const keys: ExpiringKey[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const list = await fetchPage(cursor, signal);
      keys.push(...list.data.filter(expiresSoon));
      cursor = list.nextCursor;
      if (cursor === null) break;
    }
    keys.sort((a, b) => a.expiresAt.localeCompare(b.expiresAt));
    return { keys, complete: cursor === null };
  },
  staleTime: 60_000,
});

function fetchPage(cursor: string | null, signal: AbortSignal) {
  const query = new URLSearchParams({ status: 'active', limit: String(pageSize) });
  if (cursor !== null) query.set('cursor', cursor);
  return callApi(`/v1/api-keys?${query}`, { schema: keyListSchema, signal });
}

function expiresSoon(key: Key): key is ExpiringKey {
  return key.expiresAt !== null && Date.parse(key.expiresAt) - Date.now() < fortnight;
}
