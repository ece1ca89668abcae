import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { notifyOtherTabs } from '../api/channel.ts';
import { signOut } from '../api/session.ts';
import { announce } from '../components/Toast.tsx';
import { clearRecentKeys } from './recent-keys.ts';

/** Returns what to do after the session has ended: removes what this browser knows, and opens the login page. */
export function useAfterSignOut(): () => Promise<void> {
  const router = useRouter();
  const client = useQueryClient();
  return async () => {
    clearRecentKeys();
    notifyOtherTabs('signed-out');
    client.clear();
    await router.navigate({ to: '/login', replace: true });
  };
}

export function useSignOut(): () => Promise<void> {
  const leave = useAfterSignOut();
  return async () => {
    try {
      await signOut();
    } catch (error) {
      announce(`You were not signed out. ${error instanceof Error ? error.message : ''}`);
      return;
    }
    await leave();
  };
}
