import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useRef } from 'react';
import { notifyOtherTabs } from '../api/channel.ts';
import { sessionOptions, signIn } from '../api/session.ts';
import { Button } from '../components/Button.tsx';
import { TextField } from '../components/Field.tsx';
import { Failure } from '../components/Notice.tsx';
import { PasswordField } from '../components/PasswordField.tsx';
import { SignInLayout } from '../components/SignInLayout.tsx';
import { useSubmit } from '../components/use-submit.ts';
import { toAuthError } from '../session/auth-problem.ts';
import { safePath } from '../session/safe-path.ts';

const route = getRouteApi('/login');

export function LoginPage() {
  const { next } = route.useSearch();
  const password = useRef<HTMLInputElement>(null);
  const client = useQueryClient();
  const router = useRouter();
  const { busy, failure, submit } = useSubmit(
    async (fields) => {
      const email = String(fields.get('email') ?? '').trim();
      await signIn(email, String(fields.get('password') ?? ''), fields.has('remember'));
      await client.fetchQuery({ ...sessionOptions, staleTime: 0 });
      notifyOtherTabs('signed-in');
      router.history.replace(safePath(next));
    },
    {
      failureOf: (error) => {
        password.current?.select();
        return toAuthError(error);
      },
    },
  );

  return (
    <SignInLayout
      title="Sign in"
      lead={next && next !== '/' ? 'After signing in, you return to the same page.' : null}
      foot={
        <>
          <p>
            Forgot your password? The server's operator can reset it:{' '}
            <code translate="no">npm run soku -- account reset-password EMAIL</code>
          </p>
          <p>
            API request rejected? See <Link to="/help/api-troubleshooting">Troubleshooting</Link>. No account
            required.
          </p>
        </>
      }
    >
      <form className="form" onSubmit={submit}>
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
          autoCapitalize="none"
          spellCheck={false}
        />
        <PasswordField label="Password" name="password" autoComplete="current-password" ref={password} />
        <label className="check">
          <input type="checkbox" name="remember" defaultChecked />
          <span>Stay signed in on this device</span>
        </label>
        <Failure error={failure} />
        <Button variant="primary" type="submit" busy={busy}>
          Sign in
        </Button>
      </form>
    </SignInLayout>
  );
}
