import { setupSchema } from '@soku/contract/setup';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { sessionOptions, setUpOwner } from '../api/session.ts';
import { Button } from '../components/Button.tsx';
import { TextField } from '../components/Field.tsx';
import { Failure } from '../components/Notice.tsx';
import { PasswordField } from '../components/PasswordField.tsx';
import { SignInLayout } from '../components/SignInLayout.tsx';
import { parseForm, useSubmit } from '../components/use-submit.ts';
import { toAuthError } from '../session/auth-problem.ts';

const route = getRouteApi('/setup');

export function SetupPage() {
  const { code = '' } = route.useSearch();
  const client = useQueryClient();
  const router = useRouter();
  const { busy, problems, failure, submit, edit } = useSubmit(
    async (fields) => {
      await setUpOwner(parseForm(fields, setupSchema));
      await client.fetchQuery({ ...sessionOptions, staleTime: 0 });
      await router.navigate({ to: '/', replace: true });
    },
    { failureOf: toAuthError },
  );
  return (
    <SignInLayout
      title="Set up Soku"
      lead="Create the owner account with the setup code from the server log. The code works only once."
    >
      <form className="form" onSubmit={submit} onInput={edit} noValidate>
        <TextField
          label="Setup code"
          name="code"
          defaultValue={code}
          problem={problems.code}
          hint={'Find it in the server log, in the line that starts with "Set up Soku".'}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus={code === ''}
        />
        <TextField
          label="Your name"
          name="name"
          problem={problems.name}
          autoComplete="name"
          autoFocus={code !== ''}
        />
        <TextField
          label="Email"
          name="email"
          type="email"
          problem={problems.email}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
        />
        <PasswordField
          label="Password"
          name="password"
          problem={problems.password}
          hint="At least 8 characters. Several words are safer than one."
          autoComplete="new-password"
        />
        <Failure error={failure} />
        <Button variant="primary" type="submit" busy={busy}>
          Create account
        </Button>
      </form>
    </SignInLayout>
  );
}
