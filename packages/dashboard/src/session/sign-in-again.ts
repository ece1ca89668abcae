/**
 * When the session is over, or too old for making a key, the password is asked for in place and the call is made
 * again, so that nothing that was typed is lost. Any call can ask; one dialog (SignInAgainDialog) answers all.
 */
import { useSyncExternalStore } from 'react';
import { ApiError, isSessionOver } from '../api/client.ts';

export type Reason = 'session-over' | 'recent-login';

let reason: Reason | null = null;
let waiting: Array<(signedIn: boolean) => void> = [];
const listeners = new Set<() => void>();

export function askToSignInAgain(why: Reason): Promise<boolean> {
  reason = why;
  const answer = new Promise<boolean>((resolve) => waiting.push(resolve));
  announce();
  return answer;
}

export function answerSignIn(signedIn: boolean): void {
  const answered = waiting;
  waiting = [];
  reason = null;
  announce();
  for (const resolve of answered) resolve(signedIn);
}

export function useSignInReason(): Reason | null {
  return useSyncExternalStore(subscribe, () => reason);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(): void {
  for (const listener of listeners) listener();
}

/** Makes the call; when a sign-in is what is missing, asks for it and makes the call again. */
export async function withSignIn<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const why = reasonOf(error);
    if (why === null || !(await askToSignInAgain(why))) throw error;
    return call();
  }
}

function reasonOf(error: unknown): Reason | null {
  if (isSessionOver(error)) return 'session-over';
  return error instanceof ApiError && error.code === 'recent_login_required' ? 'recent-login' : null;
}
