/**
 * When the session has ended, or is too old to create a key, the page asks for the password in place and repeats the
 * call, so that no input is lost. Any call can request this; one dialog (SignInAgain) serves all of them.
 */
import { useSyncExternalStore } from 'react';
import { ApiError, isSessionEnded } from '../api/client.ts';
import { Listeners } from '../components/listeners.ts';

export type SignInReason = 'session-over' | 'recent-login';

let reason: SignInReason | null = null;
let waiting: Array<(signedIn: boolean) => void> = [];
/** Whether the user has declined to sign in since the last successful response. */
let declined = false;
const listeners = new Listeners();

export function requestSignIn(why: SignInReason): Promise<boolean> {
  reason = why;
  const signedIn = new Promise<boolean>((resolve) => waiting.push(resolve));
  listeners.notify();
  return signedIn;
}

/**
 * The same for a request that the page sent on its own. Several of them can be rejected one after the other, and the
 * user, who has declined once, must not be asked again.
 */
export async function requestSignInOnce(): Promise<boolean> {
  return !declined && requestSignIn('session-over');
}

/** Called when a response shows that there is a session. */
export function markSessionActive(): void {
  declined = false;
}

export function finishSignIn(signedIn: boolean): void {
  declined = reason === 'session-over' && !signedIn;
  const settled = waiting;
  waiting = [];
  reason = null;
  listeners.notify();
  for (const resolve of settled) resolve(signedIn);
}

export function useSignInReason(): SignInReason | null {
  return useSyncExternalStore(listeners.subscribe, () => reason);
}

/** Runs the call. If it fails because a sign-in is required, asks for one and runs the call again. */
export async function withSignIn<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const why = reasonOf(error);
    if (why === null || !(await requestSignIn(why))) throw error;
    return call();
  }
}

function reasonOf(error: unknown): SignInReason | null {
  if (isSessionEnded(error)) return 'session-over';
  return error instanceof ApiError && error.code === 'recent_login_required' ? 'recent-login' : null;
}
