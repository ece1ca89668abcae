import { focusManager, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, isSessionOver } from '../api/client.ts';
import { askToSignInAgain } from './sign-in-again.ts';

const attempts = 3;

/**
 * `onSignedOut` is called when a page cannot even begin without a session. A page that already shows something
 * asks in place, because there may be half a form on it.
 */
export function makeQueryClient(onSignedOut: () => void): QueryClient {
  refetchOnFocus();
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: async (error, query) => {
        if (!isSessionOver(error)) return;
        if (query.state.data === undefined) onSignedOut();
        else if (await askToSignInAgain('session-over')) await client.invalidateQueries();
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < attempts - 1 && mayPass(error),
        refetchOnWindowFocus: true,
      },
    },
  });
  return client;
}

/**
 * Two windows side by side are visible all the time. Without the focus, a key that was revoked in one would stay
 * active in the other until it is covered and shown again.
 */
function refetchOnFocus(): void {
  focusManager.setEventListener((onFocus) => {
    const listener = () => onFocus();
    window.addEventListener('visibilitychange', listener);
    window.addEventListener('focus', listener);
    return () => {
      window.removeEventListener('visibilitychange', listener);
      window.removeEventListener('focus', listener);
    };
  });
}

/** A refusal stays a refusal; a server that is starting or a network that is changing does not. */
function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}
