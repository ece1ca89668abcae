import { type ChangeScopes, scopeCatalogSchema } from '@soku/contract/scope-catalog';
import type { QueryClient } from '@tanstack/react-query';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';
import { ownScopes, scopeCatalogOptions } from './scopes.ts';

type OwnScope = ChangeScopes['scopes'][number];

/**
 * Changes the scopes of the workspace. The call replaces all of them, so it starts from those that the server has now, not
 * from those that the page shows.
 */
export async function changeScopes(
  client: QueryClient,
  change: (scopes: OwnScope[]) => OwnScope[],
): Promise<void> {
  const catalog = await client.fetchQuery({ ...scopeCatalogOptions, staleTime: 0 });
  const own = ownScopes(catalog).map(({ name, description }) => ({ name, description }));
  const { data } = await callApi('/v1/scopes', {
    method: 'PUT',
    body: { scopes: change(own) },
    schema: scopeCatalogSchema,
  });
  client.setQueryData(scopeCatalogOptions.queryKey, data);
  notifyOtherTabs('changed');
}
