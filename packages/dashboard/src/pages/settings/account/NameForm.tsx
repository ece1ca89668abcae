import { nameSchema } from '@soku/contract/names';
import { useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { updateUserName } from '../../../api/account.ts';
import { sessionOptions } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { parseForm, useSubmit } from '../../../components/use-submit.ts';
import { toAuthError } from '../../../session/auth-problem.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

const nameForm = z.object({ name: nameSchema });

export function NameForm({ user }: { user: { name: string; email: string } }) {
  const client = useQueryClient();
  const { busy, problems, failure, submit, edit } = useSubmit(
    async (fields) => {
      const { name } = parseForm(fields, nameForm);
      await withSignIn(() => updateUserName(name));
      await client.invalidateQueries({ queryKey: sessionOptions.queryKey });
      announce('Your name has been saved.');
    },
    { failureOf: toAuthError },
  );

  return (
    <form className="account-form" onSubmit={submit} onInput={edit} noValidate>
      <TextField
        label="Your name"
        name="name"
        defaultValue={user.name}
        autoComplete="name"
        problem={problems.name}
      />
      <TextField
        label="Email"
        type="email"
        value={user.email}
        readOnly
        hint="You sign in with this address. You cannot change it here."
      />
      <div className="account-form__foot">
        <Failure error={failure} />
        <Button type="submit" busy={busy}>
          Save name
        </Button>
      </div>
    </form>
  );
}
