import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { notifyOtherTabs } from '../api/channel.ts';
import { sessionOptions, signIn } from '../api/session.ts';
import { Button } from '../components/Button.tsx';
import { Dialog, DialogActions } from '../components/Dialog.tsx';
import { TextField } from '../components/Field.tsx';
import { Failure } from '../components/Notice.tsx';
import { PasswordField } from '../components/PasswordField.tsx';
import { useSubmit } from '../components/use-submit.ts';
import { toAuthError } from './auth-problem.ts';
import { clearRecentKeys } from './recent-keys.ts';
import { finishSignIn, type SignInReason } from './sign-in-again.ts';

const titles: Record<SignInReason, string> = {
  'session-over': 'Your session has ended',
  'recent-login': 'Confirm your password',
};

const texts: Record<SignInReason, string> = {
  'session-over': 'Sign in again to continue. Nothing you typed is lost.',
  'recent-login':
    'To create, rotate or import keys, or to change webhooks, you must have signed in within the last two hours. Nothing you typed is lost.',
};

export function SignInAgainDialog({ reason, email }: { reason: SignInReason; email: string }) {
  const client = useQueryClient();
  const router = useRouter();
  const { busy, failure, submit } = useSubmit(
    async (fields) => {
      await signIn(email, String(fields.get('password') ?? ''), true);
      await client.invalidateQueries({ queryKey: sessionOptions.queryKey });
      notifyOtherTabs('signed-in');
      finishSignIn(true);
    },
    { failureOf: toAuthError },
  );

  const leave = () => {
    finishSignIn(false);
    clearRecentKeys();
    client.clear();
    void router.navigate({ to: '/login', search: { next: router.state.location.href } });
  };

  return (
    <Dialog title={titles[reason]} onCloseRequest={() => finishSignIn(false)}>
      <form className="form" onSubmit={submit}>
        <p>{texts[reason]}</p>
        <TextField label="Email" type="email" value={email} readOnly autoComplete="username" />
        <PasswordField label="Password" name="password" autoComplete="current-password" data-autofocus />
        <Failure error={failure} />
        <DialogActions>
          {reason === 'session-over' ? (
            <Button variant="quiet" onClick={leave}>
              Use another account
            </Button>
          ) : (
            <Button onClick={() => finishSignIn(false)}>Cancel</Button>
          )}
          <Button variant="primary" type="submit" busy={busy}>
            Sign in
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
