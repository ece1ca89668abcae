import { focusManager, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, isSessionEnded } from '../api/client.ts';
import { sessionOptions } from '../api/session.ts';
import { markSessionActive, requestSignInOnce } from './sign-in-again.ts';

const maxAttempts = 3;

/**
 * `onSignedOut` is called if a page has no data yet and cannot load it without a session. A page that already shows
 * data asks for the password in place, because it may contain a partly completed form. So do the queries that belong to
 * no page (`meta.isOutsidePage`), such as those of the sidebar.
 */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  refetchOnFocus();
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: async (error, query) => {
        if (!isSessionEnded(error)) return;
        if (query.state.data === undefined && query.meta?.isOutsidePage !== true) onSignedOut();
        else if (await requestSignInOnce()) await client.invalidateQueries();
      },
      onSuccess: (_data, { queryKey: [name] }) => {
        // The session query also succeeds without a session.
        if (name !== sessionOptions.queryKey[0]) markSessionActive();
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < maxAttempts - 1 && isTransient(error),
        refetchOnWindowFocus: true,
      },
    },
  });
  return client;
}

/**
 * Two windows side by side are always visible. Without this, a key that was revoked in one window would be shown as
 * active in the other until that window is hidden and shown again.
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

/** Whether a retry may succeed, such as after a server start or a network change. A rejection is final. */
function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}
