import { type CatalogScope, scopeCatalogSchema } from '@soku/contract/scope-catalog';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';

/** The scopes that keys of the workspace can have. */
export const scopeCatalogOptions = queryOptions({
  queryKey: ['scopes'],
  queryFn: ({ signal }) => fetchScopes({ signal }),
  staleTime: 60_000,
});

export async function fetchScopes(options: { signal?: AbortSignal } = {}): Promise<CatalogScope[]> {
  return (await callApi('/v1/scopes', { schema: scopeCatalogSchema, ...options })).data;
}

/** The scopes of the API that Soku protects. */
export function customScopes(catalog: readonly CatalogScope[]): CatalogScope[] {
  return catalog.filter(({ builtIn }) => !builtIn);
}
