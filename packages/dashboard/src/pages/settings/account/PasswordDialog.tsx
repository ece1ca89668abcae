import { passwordSchema } from '@soku/contract/accounts';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { browserSessionsOptions, changePassword } from '../../../api/account.ts';
import { ApiError } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { PasswordField } from '../../../components/PasswordField.tsx';
import { sentence } from '../../../components/sentence.ts';
import { announce } from '../../../components/Toast.tsx';
import { authProblem } from '../../../session/auth-problem.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

interface Problems {
  current?: string;
  next?: string;
  other?: Error;
}

export function PasswordDialog({ email, onClose }: { email: string; onClose: () => void }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problems>({});

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const fields = new FormData(event.currentTarget);
    const next = passwordSchema.safeParse(fields.get('next'));
    if (!next.success) {
      setProblems({ next: sentence(next.error.issues[0]?.message ?? '') });
      return;
    }
    setProblems({});
    setBusy(true);
    try {
      await withSignIn(() => changePassword(String(fields.get('current') ?? ''), next.data));
      onClose();
      announce('Your password is changed. Every other session is ended.');
      void client.invalidateQueries({ queryKey: browserSessionsOptions.queryKey });
    } catch (error) {
      setProblems(problemsOf(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title="Change password" onCloseRequest={onClose}>
      <form className="form" onSubmit={submit} noValidate>
        {/* Tells a password manager whose password it is. */}
        <input
          className="visually-hidden"
          type="email"
          autoComplete="username"
          value={email}
          readOnly
          hidden
        />
        <PasswordField
          label="Current password"
          name="current"
          autoComplete="current-password"
          problem={problems.current}
          onInput={() => setProblems(({ current: _, ...rest }) => rest)}
          data-autofocus
        />
        <PasswordField
          label="New password"
          name="next"
          autoComplete="new-password"
          hint="At least 8 characters. A few words are better than one."
          problem={problems.next}
          onInput={() => setProblems(({ next: _, ...rest }) => rest)}
        />
        <Failure error={problems.other} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={busy}>
            Change password
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function problemsOf(error: unknown): Problems {
  const problem = authProblem(error);
  if (!(error instanceof ApiError)) return { other: problem };
  if (error.code === 'INVALID_PASSWORD') return { current: problem.message };
  const next = error.details.find(({ path }) => path === 'newPassword');
  return next === undefined ? { other: problem } : { next: sentence(next.problem) };
}
