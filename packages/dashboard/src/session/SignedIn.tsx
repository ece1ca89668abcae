import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useEffectEvent } from 'react';
import { useSession } from '../api/session.ts';
import { requestSignIn } from './sign-in-again.ts';

/** Milliseconds. Longer than a navigation to the login page, which unmounts this component. */
const pause = 500;

/** Wraps every page that needs a session. When the session ends, it asks for the password in place. */
export function SignedIn() {
  const session = useSession();
  const navigate = useNavigate();
  const href = useRouterState({ select: (state) => state.location.href });
  const signedOut = session !== undefined && session.user === null;

  const ask = useEffectEvent(async () => {
    if (await requestSignIn('session-over')) return;
    void navigate({ to: '/login', search: { next: href } });
  });

  useEffect(() => {
    if (!signedOut) return;
    const timer = setTimeout(ask, pause);
    return () => clearTimeout(timer);
  }, [signedOut]);

  return <Outlet />;
}
