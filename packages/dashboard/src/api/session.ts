import { type Session, sessionSchema } from '@soku/contract/accounts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { callApi } from './client.ts';

export const sessionOptions = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => callApi('/api/session', { answer: sessionSchema, signal }),
  staleTime: 60_000,
});

/** Undefined until the first answer came. */
export function useSession(): Session | undefined {
  return useQuery(sessionOptions).data;
}

/** The auth library's answers hold more than we need; what matters is that they were 2xx. */
const anyAnswer = z.unknown();

export function signIn(email: string, password: string, rememberMe: boolean): Promise<unknown> {
  return callApi('/api/auth/sign-in/email', {
    method: 'POST',
    body: { email, password, rememberMe },
    answer: anyAnswer,
  });
}

export function signOut(): Promise<unknown> {
  return callApi('/api/auth/sign-out', { method: 'POST', body: {}, answer: anyAnswer });
}

export interface Owner {
  code: string;
  name: string;
  email: string;
  password: string;
}

export function setUpOwner(owner: Owner): Promise<unknown> {
  return callApi('/api/setup', { method: 'POST', body: owner, answer: anyAnswer });
}
