import { type CatalogScope, scopeCatalogSchema } from '@soku/contract/scope-catalog';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

/** The scopes that keys of the workspace can have. */
export const scopeCatalogOptions = queryOptions({
  queryKey: ['scopes'],
  queryFn: async ({ signal }) => (await callApi('/v1/scopes', { schema: scopeCatalogSchema, signal })).data,
  staleTime: 60_000,
});

/** The scopes of the API that Soku protects. */
export function ownScopes(catalog: readonly CatalogScope[]): CatalogScope[] {
  return catalog.filter(({ builtIn }) => !builtIn);
}
