import { setupSchema } from '@soku/contract/accounts';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiError } from '../api/client.ts';
import { sessionOptions, setUpOwner } from '../api/session.ts';
import { Button } from '../components/Button.tsx';
import { TextField } from '../components/Field.tsx';
import { Gate } from '../components/Gate.tsx';
import { Failure } from '../components/Notice.tsx';
import { PasswordField } from '../components/PasswordField.tsx';
import { sentence } from '../components/sentence.ts';
import { authProblem } from '../session/auth-problem.ts';

const route = getRouteApi('/setup');

type Problems = Record<string, string>;

export function SetupPage() {
  const { code = '' } = route.useSearch();
  const { problems, failure, busy, submit, edit } = useSetup();
  return (
    <Gate
      title="Set up Soku"
      lead="Make the owner's account. This page works once, for whoever has the code from the log."
    >
      <form className="form" onSubmit={submit} onInput={edit} noValidate>
        <TextField
          label="Setup code"
          name="code"
          defaultValue={code}
          problem={problems.code}
          hint={'The server\'s log printed it at the first start, in the line "Set up Soku".'}
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
          label="E-mail"
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
          hint="At least 8 characters. A few words are better than one."
          autoComplete="new-password"
        />
        <Failure error={failure} />
        <Button look="primary" type="submit" busy={busy}>
          Create account
        </Button>
      </form>
    </Gate>
  );
}

function useSetup() {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problems>({});
  const [failure, setFailure] = useState<Error | null>(null);
  const client = useQueryClient();
  const router = useRouter();

  const show = (form: HTMLFormElement, refused: Problems, other: Error | null) => {
    // Drawn before the focus moves: only then is the field marked that it goes to.
    flushSync(() => {
      setBusy(false);
      setProblems(refused);
      setFailure(other);
    });
    form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const owner = setupSchema.safeParse(Object.fromEntries(new FormData(form)));
    if (!owner.success) {
      const { issues } = owner.error;
      return show(form, problemsOf(issues.map((issue) => [issue.path.join('.'), issue.message])), null);
    }
    setProblems({});
    setFailure(null);
    setBusy(true);
    try {
      await setUpOwner(owner.data);
      await client.fetchQuery({ ...sessionOptions, staleTime: 0 });
      await router.navigate({ to: '/', replace: true });
    } catch (error) {
      const refused = refusedFields(error);
      show(form, refused, Object.keys(refused).length === 0 ? authProblem(error) : null);
    }
  };

  /** A problem holds until its field is edited. */
  const edit = ({ target }: FormEvent<HTMLFormElement>) => {
    if (!(target instanceof HTMLInputElement)) return;
    const { [target.name]: _, ...rest } = problems;
    setProblems(rest);
  };

  return { problems, failure, busy, submit, edit };
}

function refusedFields(error: unknown): Problems {
  const details = error instanceof ApiError ? error.details : [];
  return problemsOf(details.map(({ path, problem }) => [path, problem]));
}

/** "code: is wrong" becomes "Is wrong." under the field. The first problem of each field is enough. */
function problemsOf(entries: Array<[string, string]>): Problems {
  const problems: Problems = {};
  for (const [path, problem] of entries) {
    const field = path.replace(/^body[./]/, '').replace(/^\//, '');
    problems[field] ??= sentence(problem);
  }
  return problems;
}
