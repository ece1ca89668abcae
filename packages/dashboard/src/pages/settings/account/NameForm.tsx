import { nameSchema } from '@soku/contract/names';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { renamePerson } from '../../../api/account.ts';
import { sessionOptions } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { sentence } from '../../../components/sentence.ts';
import { announce } from '../../../components/Toast.tsx';
import { authProblem } from '../../../session/auth-problem.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

export function NameForm({ user }: { user: { name: string; email: string } }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const name = nameSchema.safeParse(new FormData(event.currentTarget).get('name'));
    setProblem(name.success ? undefined : sentence(name.error.issues[0]?.message ?? ''));
    setFailure(null);
    if (!name.success) return;
    setBusy(true);
    try {
      await withSignIn(() => renamePerson(name.data));
      await client.invalidateQueries({ queryKey: sessionOptions.queryKey });
      announce('Your name is saved.');
    } catch (error) {
      setFailure(authProblem(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="account-form" onSubmit={submit} noValidate>
      <TextField
        label="Your name"
        name="name"
        defaultValue={user.name}
        autoComplete="name"
        problem={problem}
        onInput={() => setProblem(undefined)}
      />
      <TextField
        label="E-mail"
        type="email"
        value={user.email}
        readOnly
        hint="You sign in with this address. It cannot be changed here."
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
