import { browserSessionSchema } from '@soku/contract/accounts';
import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { callApi } from './client.ts';

/** This browser's session first, then the most recently used ones. */
export const browserSessionsOptions = queryOptions({
  queryKey: ['browser-sessions'],
  queryFn: async ({ signal }) => {
    const sessions = await callApi('/api/auth/list-sessions', {
      schema: z.array(browserSessionSchema),
      signal,
    });
    return sessions.sort(
      (a, b) => Number(b.current) - Number(a.current) || b.updatedAt.localeCompare(a.updatedAt),
    );
  },
});

const anyResponse = z.unknown();

function post(path: string, body: unknown): Promise<unknown> {
  return callApi(`/api/auth/${path}`, { method: 'POST', body, schema: anyResponse });
}

export const updateUserName = (name: string) => post('update-user', { name });

export const changePassword = (currentPassword: string, newPassword: string) =>
  post('change-password', { currentPassword, newPassword });

export const endSession = (id: string) => post('revoke-session', { id });

export const endOtherSessions = () => post('revoke-other-sessions', {});

export const endAllSessions = () => post('revoke-sessions', {});
