import { type ChangeScopes, scopeCatalogSchema } from '@soku/contract/scope-catalog';
import type { QueryClient } from '@tanstack/react-query';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';
import { customScopes, fetchScopes, scopeCatalogOptions } from './scopes.ts';

type OwnScope = ChangeScopes['scopes'][number];

/**
 * Changes the scopes of the workspace. The call replaces all of them, so it starts from those that the server has now, not
 * from those that the page shows.
 */
export async function changeScopes(
  client: QueryClient,
  change: (scopes: OwnScope[]) => OwnScope[],
): Promise<void> {
  // Not through the query client, which would wait without an end while the browser is offline.
  const own = customScopes(await fetchScopes()).map(({ name, description }) => ({ name, description }));
  const { data } = await callApi('/v1/scopes', {
    method: 'PUT',
    body: { scopes: change(own) },
    schema: scopeCatalogSchema,
  });
  client.setQueryData(scopeCatalogOptions.queryKey, data);
  notifyOtherTabs('changed');
}
