import type { RateLimit } from '@soku/contract/rate-limits';
import { type ChangeWorkspace, type Workspace, workspaceSchema } from '@soku/contract/workspaces';
import { queryOptions } from '@tanstack/react-query';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';

export const workspaceOptions = queryOptions({
  queryKey: ['workspace'],
  queryFn: ({ signal }) => callApi('/v1/workspace', { schema: workspaceSchema, signal }),
  // Several parts of a page request it, and it rarely changes.
  staleTime: 60_000,
});

export async function changeWorkspace(change: ChangeWorkspace): Promise<Workspace> {
  const changed = await callApi('/v1/workspace', { method: 'PATCH', body: change, schema: workspaceSchema });
  notifyOtherTabs('changed');
  return changed;
}

/** The limit of a key without its own limit. */
export function defaultLimitOf({ rateLimit, defaultRateLimit }: Workspace): RateLimit {
  return rateLimit ?? defaultRateLimit;
}
