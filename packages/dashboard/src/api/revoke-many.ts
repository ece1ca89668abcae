/** Revokes several keys at once. */
import type { RevokeReason } from '@soku/contract/key-policy';
import type { KeyList } from '@soku/contract/keys';
import { type RevokedKeys, revokedKeysSchema, revokedWorkspaceSchema } from '@soku/contract/revocations';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';

/** Resolves once no server accepts any of the keys. Revokes all of them or none. */
export function revokeKeys(ids: string[], reason: RevokeReason | undefined): Promise<RevokedKeys> {
  return callApi('/v1/api-keys/revoke', { method: 'POST', body: { ids, reason }, schema: revokedKeysSchema });
}

/** In ms. A workspace can have a million keys. */
const revokeAllTimeout = 600_000;

/** Resolves once no server accepts any key that the workspace had. */
export function revokeAllKeys(reason: RevokeReason | undefined) {
  return callApi('/v1/api-keys/revoke', {
    method: 'POST',
    body: { all: true, reason },
    schema: revokedWorkspaceSchema,
    timeout: revokeAllTimeout,
  });
}

/** Removes keys from the cached lists, until these are fetched again. */
export function removeRevokedKeys(client: QueryClient, ids: ReadonlySet<string>): void {
  client.setQueriesData<InfiniteData<KeyList>>({ queryKey: ['keys', 'list'] }, (list) => {
    const pages = list?.pages.map((page) => ({ ...page, data: page.data.filter(({ id }) => !ids.has(id)) }));
    return list && pages && { ...list, pages };
  });
  refetchKeys(client);
}

export function refetchKeys(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: ['keys'] });
  notifyOtherTabs('changed');
}
