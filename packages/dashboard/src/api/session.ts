import { type Session, sessionSchema } from '@soku/contract/accounts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { currentPublicUrl } from '../base-path.ts';
import { callApi } from './client.ts';

export const sessionOptions = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => callApi('/api/session', { schema: sessionSchema, signal }),
  staleTime: 60_000,
});

/** Undefined until the first response. */
export function useSession(): Session | undefined {
  return useQuery(sessionOptions).data;
}

const defaultPrefixes = ['sk_live_'];

/** All prefixes that the keys of this deployment can have; the default one until the server has named them. */
export function useKeyPrefixes(): readonly string[] {
  return useSession()?.keyPrefixes ?? defaultPrefixes;
}

/** The URL of this deployment, for examples: SOKU_PUBLIC_URL, or that of this page until the server has named it. */
export function usePublicUrl(): string {
  return useSession()?.publicUrl ?? currentPublicUrl();
}

/** The bodies of the auth library's responses are not used. Only the 2xx status matters. */
const anyResponse = z.unknown();

export function signIn(email: string, password: string, rememberMe: boolean): Promise<unknown> {
  return callApi('/api/auth/sign-in/email', {
    method: 'POST',
    body: { email, password, rememberMe },
    schema: anyResponse,
  });
}

export function signOut(): Promise<unknown> {
  return callApi('/api/auth/sign-out', { method: 'POST', body: {}, schema: anyResponse });
}

export interface Owner {
  code: string;
  name: string;
  email: string;
  password: string;
}

export function setUpOwner(owner: Owner): Promise<unknown> {
  return callApi('/api/setup', { method: 'POST', body: owner, schema: anyResponse });
}
