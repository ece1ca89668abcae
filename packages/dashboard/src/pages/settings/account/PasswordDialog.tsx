import { passwordSchema } from '@soku/contract/accounts';
import { useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { browserSessionsOptions, changePassword } from '../../../api/account.ts';
import { ApiError } from '../../../api/client.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { FormActions } from '../../../components/FormActions.tsx';
import { PasswordField } from '../../../components/PasswordField.tsx';
import { toSentence } from '../../../components/sentence.ts';
import { announce } from '../../../components/Toast.tsx';
import { type FieldProblems, parseForm, useSubmit } from '../../../components/use-submit.ts';
import { toAuthError } from '../../../session/auth-problem.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

const passwordForm = z.object({ current: z.string(), next: passwordSchema });

export function PasswordDialog({ email, onClose }: { email: string; onClose: () => void }) {
  const client = useQueryClient();
  const { busy, problems, failure, submit, edit } = useSubmit(
    async (fields) => {
      const { current, next } = parseForm(fields, passwordForm);
      await withSignIn(() => changePassword(current, next));
      onClose();
      announce('Your password has been changed. All other browsers are signed out.');
      void client.invalidateQueries({ queryKey: browserSessionsOptions.queryKey });
    },
    { problemsOf: rejectedPasswords, failureOf: toAuthError },
  );

  return (
    <Dialog title="Change password" onCloseRequest={onClose}>
      <form className="form" onSubmit={submit} onInput={edit} noValidate>
        {/* Lets password managers find which account the password belongs to. */}
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
          data-autofocus
        />
        <PasswordField
          label="New password"
          name="next"
          autoComplete="new-password"
          hint="At least 8 characters. Several words are safer than one."
          problem={problems.next}
        />
        <FormActions failure={failure} busy={busy} onCancel={onClose} submit="Change password" />
      </form>
    </Dialog>
  );
}

function rejectedPasswords(error: unknown): FieldProblems {
  if (!(error instanceof ApiError)) return {};
  if (error.code === 'INVALID_PASSWORD') return { current: toAuthError(error).message };
  const next = error.details.find(({ path }) => path === 'newPassword');
  return next === undefined ? {} : { next: toSentence(next.problem) };
}
