/** Calls that create and change keys, and what they mean for the cached lists. Only the dialogs and forms need them. */
import type { RevokeReason } from '@soku/contract/key-policy';
import type { ChangeKey, CreateKey } from '@soku/contract/key-requests';
import { type CreatedKey, createdKeySchema, type Key, type KeyList, keySchema } from '@soku/contract/keys';
import { descendantsSchema, type RevokedKey, revokedKeySchema } from '@soku/contract/revocations';
import { type InfiniteData, type QueryClient, queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';
import { keyOptions } from './keys.ts';

/** The response contains the full key. Keep it in the state of one component, and never in a cache. */
export function createKey(key: CreateKey, idempotencyKey: string): Promise<CreatedKey> {
  return callApi('/v1/api-keys', {
    method: 'POST',
    body: key,
    headers: { 'idempotency-key': idempotencyKey },
    schema: createdKeySchema,
  });
}

/** Resolves once every server applies the change. */
export function changeKey(id: string, change: ChangeKey): Promise<Key> {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    body: change,
    schema: keySchema,
  });
}

/** For the revoke dialog, which must not wait: no retries, and never from the cache. */
export function descendantsOptions(id: string) {
  return queryOptions({
    queryKey: ['keys', 'descendants', id],
    queryFn: ({ signal }) =>
      callApi(`/v1/api-keys/${encodeURIComponent(id)}/descendants`, { schema: descendantsSchema, signal }),
    retry: false,
    gcTime: 0,
  });
}

/**
 * Resolves once no server accepts the key.
 *
 * @param descendants whether to revoke the keys that it created as well
 */
export function revokeKey(id: string, descendants: boolean, reason?: RevokeReason): Promise<RevokedKey> {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}/revoke`, {
    method: 'POST',
    body: { descendants, reason },
    schema: revokedKeySchema,
  });
}

const cachedFilterSchema = z.looseObject({ status: z.string(), sort: z.string(), order: z.string() });

/**
 * Puts the key that the server just returned into every cached list, so that the page behind a dialog is correct even
 * before the refetch that follows.
 */
export function updateCachedKey(client: QueryClient, key: Key): void {
  client.setQueryData(keyOptions(key.id).queryKey, key);
  for (const [queryKey] of client.getQueriesData({ queryKey: ['keys', 'list'] })) {
    const filter = cachedFilterSchema.safeParse(queryKey[2]);
    if (filter.success) {
      client.setQueryData<InfiniteData<KeyList>>(
        queryKey,
        (list) => list && placeKey(list, filter.data, key),
      );
    }
  }
  void client.invalidateQueries({ queryKey: ['keys'] });
  notifyOtherTabs('changed');
}

function placeKey(
  list: InfiniteData<KeyList>,
  filter: z.infer<typeof cachedFilterSchema>,
  key: Key,
): InfiniteData<KeyList> {
  const known = list.pages.some((page) => page.data.some((row) => row.id === key.id));
  const fits = hasStatus(key, filter.status) && (known || listsEveryKey(filter));
  const pages = list.pages.map((page, index) => {
    const rows = fits
      ? page.data.map((row) => (row.id === key.id ? { ...row, ...key } : row))
      : page.data.filter((row) => row.id !== key.id);
    return { ...page, data: index === 0 && fits && !known ? [key, ...rows] : rows };
  });
  return { ...list, pages };
}

/** The disabled keys are among the active ones. */
function hasStatus({ status }: Key, filter: string): boolean {
  return filter === 'all' || filter === status || (filter === 'active' && status === 'disabled');
}

/**
 * Whether a new key is the first one of the list. Only the server can evaluate filters, searches and other orders, so
 * such lists show it after they are fetched again.
 */
function listsEveryKey({ status: _, sort, order, ...filters }: z.infer<typeof cachedFilterSchema>): boolean {
  const filtered = Object.values(filters).some((value) => value !== '' && value !== undefined);
  return !filtered && sort === 'created' && order === 'desc';
}
