import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { tellOtherTabs } from '../api/channel.ts';
import { sessionOptions, signIn, useSession } from '../api/session.ts';
import { Button } from '../components/Button.tsx';
import { Dialog, DialogActions } from '../components/Dialog.tsx';
import { TextField } from '../components/Field.tsx';
import { Failure } from '../components/Notice.tsx';
import { PasswordField } from '../components/PasswordField.tsx';
import { useSubmit } from '../components/use-submit.ts';
import { authProblem } from './auth-problem.ts';
import { answerSignIn, type Reason, useSignInReason } from './sign-in-again.ts';

const titles: Record<Reason, string> = {
  'session-over': 'Your session is over',
  'recent-login': 'Is it still you?',
};

const texts: Record<Reason, string> = {
  'session-over': 'Sign in again to go on. Nothing that you typed is lost.',
  'recent-login': 'Making a key needs a sign-in from the last two hours. Nothing that you typed is lost.',
};

/** Asks for the password over whatever is open, so that it stays as it is. */
export function SignInAgainDialog() {
  const reason = useSignInReason();
  const email = useLastEmail();
  if (reason === null) return null;
  return <AskForPassword reason={reason} email={email} />;
}

/** The session query may already have been told that nobody is signed in. */
function useLastEmail(): string {
  const email = useSession()?.user?.email;
  const [last, setLast] = useState(email);
  if (email !== undefined && email !== last) setLast(email);
  return email ?? last ?? '';
}

function AskForPassword({ reason, email }: { reason: Reason; email: string }) {
  const client = useQueryClient();
  const router = useRouter();
  const { busy, failure, submit } = useSubmit(
    async (fields) => {
      await signIn(email, String(fields.get('password') ?? ''), true);
      await client.invalidateQueries({ queryKey: sessionOptions.queryKey });
      tellOtherTabs('signed-in');
      answerSignIn(true);
    },
    { failureOf: authProblem },
  );

  const leave = () => {
    answerSignIn(false);
    client.clear();
    void router.navigate({ to: '/login', search: { next: router.state.location.href } });
  };

  return (
    <Dialog title={titles[reason]} onCloseRequest={() => answerSignIn(false)}>
      <form className="form" onSubmit={submit}>
        <p>{texts[reason]}</p>
        <TextField label="E-mail" type="email" value={email} readOnly autoComplete="username" />
        <PasswordField label="Password" name="password" autoComplete="current-password" data-autofocus />
        <Failure error={failure} />
        <DialogActions>
          {reason === 'session-over' ? (
            <Button look="quiet" onClick={leave}>
              Use another account
            </Button>
          ) : (
            <Button onClick={() => answerSignIn(false)}>Cancel</Button>
          )}
          <Button look="primary" type="submit" busy={busy}>
            Sign in
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
