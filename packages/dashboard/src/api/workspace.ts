import type { RateLimit } from '@soku/contract/rate-limits';
import { type ChangeWorkspace, type Workspace, workspaceSchema } from '@soku/contract/workspaces';
import { queryOptions } from '@tanstack/react-query';
import { tellOtherTabs } from './channel.ts';
import { callApi } from './client.ts';

export const workspaceOptions = queryOptions({
  queryKey: ['workspace'],
  queryFn: ({ signal }) => callApi('/v1/workspace', { answer: workspaceSchema, signal }),
  // Several parts of a page request it, and it rarely changes.
  staleTime: 60_000,
});

export async function changeWorkspace(change: ChangeWorkspace): Promise<Workspace> {
  const changed = await callApi('/v1/workspace', { method: 'PATCH', body: change, answer: workspaceSchema });
  tellOtherTabs('changed');
  return changed;
}

/** The limit of a key without its own limit. */
export function commonLimitOf({ rateLimit, defaultRateLimit }: Workspace): RateLimit {
  return rateLimit ?? defaultRateLimit;
}
