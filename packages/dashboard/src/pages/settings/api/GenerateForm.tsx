import { createKeySchema } from '@soku/server/key-schemas';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { sentence } from '../../../components/sentence.ts';
import { ExpiryField } from './ExpiryField.tsx';
import { expiryOf } from './expiry.ts';
import { ScopeFields } from './ScopeFields.tsx';
import type { Creation } from './use-create-key.ts';

const suggestions = ['Production', 'Staging', 'CI/CD Pipeline'];

export function GenerateForm({ creation, onCancel }: { creation: Creation; onCancel: () => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<{ field: string; text: string } | null>(null);
  const [more, setMore] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const expiresAt = expiryOf(String(fields.get('expiry')), String(fields.get('expiresAt') ?? ''));
    const scopes = fields.getAll('scope');
    if (expiresAt === 'invalid' || expiresAt === 'past') {
      setMore(true);
      form.querySelector<HTMLElement>('[name="expiresAt"]')?.focus();
      setProblem({
        field: 'expiresAt',
        text: expiresAt === 'past' ? 'This time has passed.' : 'Choose a date and a time.',
      });
      return;
    }
    const body = createKeySchema.safeParse({ name, expiresAt, ...(scopes.length > 0 ? { scopes } : {}) });
    if (!body.success) {
      setProblem(problemOf(body.error.issues.map((issue) => [String(issue.path[0]), issue.message])));
      nameField.current?.focus();
      return;
    }
    setProblem(null);
    void creation.create(body.data);
  };

  const choose = (suggestion: string) => {
    setName(suggestion);
    setProblem(null);
    nameField.current?.focus();
  };

  const problems = problem ?? refusedField(creation.error);
  return (
    <form className="form" onSubmit={submit} noValidate>
      <div className="name-field">
        <TextField
          ref={nameField}
          label="Name"
          hint="Where the key is used. You find it again by this name."
          placeholder="Production Server"
          autoComplete="off"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.target.value)}
          problem={problems?.field === 'name' ? problems.text : undefined}
        />
        <ul className="suggestions" aria-label="Suggested names">
          {suggestions.map((suggestion) => (
            <li key={suggestion}>
              <button type="button" className="suggestion" onClick={() => choose(suggestion)}>
                {suggestion}
              </button>
            </li>
          ))}
        </ul>
      </div>
      <details className="more" open={more} onToggle={(event) => setMore(event.currentTarget.open)}>
        <summary>Expiry and scopes</summary>
        <div className="more__fields">
          <ExpiryField problem={problems?.field === 'expiresAt' ? problems.text : undefined} />
          <ScopeFields />
        </div>
      </details>
      <Failure error={problems === null ? creation.error : null} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="primary" type="submit" busy={creation.busy}>
          Create
        </Button>
      </DialogActions>
    </form>
  );
}

type Problem = { field: string; text: string } | null;

function problemOf([first]: Array<[string, string]>): Problem {
  return first ? { field: first[0], text: sentence(first[1]) } : null;
}

/** A field that only the server refused. */
function refusedField(error: unknown): Problem {
  if (!(error instanceof ApiError) || error.code !== 'invalid_request') return null;
  const known = error.details.find(({ path }) => /(^|[./])(name|expiresAt)$/.test(path));
  return known ? { field: known.path.replace(/^.*[./]/, ''), text: sentence(known.problem) } : null;
}
