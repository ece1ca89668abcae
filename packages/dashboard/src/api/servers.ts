import { serverCountsSchema } from '@soku/contract/nodes';
import { queryOptions } from '@tanstack/react-query';
import { callApi, isSessionEnded } from './client.ts';

/** Milliseconds. */
const interval = 15_000;

/** How many servers there are. With SQLite there is only this one, so nothing can change. */
export const serversOptions = queryOptions({
  queryKey: ['servers'],
  queryFn: ({ signal }) => callApi('/api/servers', { schema: serverCountsSchema, signal }),
  refetchInterval: ({ state }) => !isSessionEnded(state.error) && state.data?.total !== 1 && interval,
  meta: { isOutsidePage: true },
});
