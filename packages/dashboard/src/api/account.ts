import { queryOptions } from '@tanstack/react-query';
import { z } from 'zod';
import { callApi } from './client.ts';

const browserSessionSchema = z.object({
  id: z.string(),
  token: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string(),
  ipAddress: z.string().nullish(),
  userAgent: z.string().nullish(),
});

const currentSchema = z.object({ session: z.object({ token: z.string() }) }).nullable();

export type BrowserSession = Omit<z.infer<typeof browserSessionSchema>, 'ipAddress' | 'userAgent'> & {
  ipAddress: string;
  userAgent: string;
  here: boolean;
};

export const browserSessionsOptions = queryOptions({
  queryKey: ['browser-sessions'],
  queryFn: async ({ signal }) => {
    const [sessions, current] = await Promise.all([
      callApi('/api/auth/list-sessions', { answer: z.array(browserSessionSchema), signal }),
      callApi('/api/auth/get-session', { answer: currentSchema, signal }),
    ]);
    return sessions
      .map(
        (session): BrowserSession => ({
          ...session,
          ipAddress: session.ipAddress ?? '',
          userAgent: session.userAgent ?? '',
          here: session.token === current?.session.token,
        }),
      )
      .sort((a, b) => Number(b.here) - Number(a.here) || b.updatedAt.localeCompare(a.updatedAt));
  },
  // The answer holds the tokens by which sessions are ended: keep it no longer than it is shown.
  gcTime: 0,
});

const anyAnswer = z.unknown();

function post(path: string, body: unknown): Promise<unknown> {
  return callApi(`/api/auth/${path}`, { method: 'POST', body, answer: anyAnswer });
}

export const renamePerson = (name: string) => post('update-user', { name });

export const changePassword = (currentPassword: string, newPassword: string) =>
  post('change-password', { currentPassword, newPassword, revokeOtherSessions: true });

export const endSession = (token: string) => post('revoke-session', { token });

export const endOtherSessions = () => post('revoke-other-sessions', {});

export const endAllSessions = () => post('revoke-sessions', {});
