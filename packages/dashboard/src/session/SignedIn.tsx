import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';
import { useSession } from '../api/session.ts';
import { askToSignInAgain } from './sign-in-again.ts';

/** Longer than a navigation to the login page takes, which unmounts this. */
const pause = 500;

/** Around every page that needs a session: when it turns out to be over, the password is asked for in place. */
export function SignedIn() {
  const session = useSession();
  const navigate = useNavigate();
  const href = useRouterState({ select: (state) => state.location.href });
  const over = session !== undefined && session.user === null;

  const ask = useEffectEvent(async () => {
    if (await askToSignInAgain('session-over')) return;
    void navigate({ to: '/login', search: { next: href } });
  });

  useEffect(() => {
    if (!over) return;
    const timer = setTimeout(ask, pause);
    return () => clearTimeout(timer);
  }, [over]);

  return <Outlet />;
}
