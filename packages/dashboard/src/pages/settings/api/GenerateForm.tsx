import { type CreateKey, createKeySchema } from '@soku/contract/keys';
import { type FormEvent, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiError } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { sentence } from '../../../components/sentence.ts';
import { ExpiryField } from './ExpiryField.tsx';
import { expiryOf } from './expiry.ts';
import { readLimit } from './limit.ts';
import { NewKeyLimit } from './NewKeyLimit.tsx';
import { ScopeFields } from './ScopeFields.tsx';
import type { Creation } from './use-create-key.ts';

const suggestions = ['Production', 'Staging', 'CI/CD Pipeline'];

export function GenerateForm({ creation, onCancel }: { creation: Creation; onCancel: () => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<Problem>(null);
  // What the server refused holds until something is typed.
  const [answered, setAnswered] = useState<unknown>(null);
  const [more, setMore] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { wish, problem: wrong } = readForm(name, new FormData(form));
    if (wrong) {
      const refused = form.querySelector<HTMLElement>(`[name="${wrong.field}"]`);
      // What is folded away cannot take the focus.
      flushSync(() => {
        setProblem(wrong);
        if (refused?.closest('details')) setMore(true);
      });
      (refused ?? nameField.current)?.focus();
      return;
    }
    setProblem(null);
    void creation.create(wish);
  };

  const choose = (suggestion: string) => {
    setName(suggestion);
    setProblem(null);
    nameField.current?.focus();
  };

  const edit = (event: FormEvent<HTMLFormElement>) => {
    const field = fieldOf(event.target);
    if (field === problem?.field) setProblem(null);
    if (field === refusedField(creation.error)?.field) setAnswered(creation.error);
  };

  const failure = creation.error === answered ? null : creation.error;
  const problems = problem ?? refusedField(failure);
  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <div className="name-field">
        <TextField
          ref={nameField}
          label="Name"
          name="name"
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
        <summary>Expiry, limit and scopes</summary>
        <div className="more__fields">
          <ExpiryField problem={problems?.field === 'expiresAt' ? problems.text : undefined} />
          <NewKeyLimit problem={problems?.field === 'requests' ? problems.text : undefined} />
          <ScopeFields />
        </div>
      </details>
      <Failure error={problems === null ? failure : null} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button look="primary" type="submit" busy={creation.busy}>
          Create
        </Button>
      </DialogActions>
    </form>
  );
}

/** The name of the field whose problem an input may end; a choice stands before its field. */
function fieldOf(target: EventTarget): string {
  const name = target instanceof HTMLElement ? (target.getAttribute('name') ?? '') : '';
  return { expiry: 'expiresAt', limit: 'requests' }[name] ?? name;
}

type Problem = { field: string; text: string } | null;

/** What the form asks for, or the first thing that is wrong with it. */
function readForm(
  name: string,
  fields: FormData,
): { wish: CreateKey; problem?: undefined } | { wish?: undefined; problem: Problem & object } {
  const text = (field: string) => String(fields.get(field) ?? '');
  const expiry = expiryOf(text('expiry'), text('expiresAt'));
  if (expiry.problem !== undefined) return { problem: { field: 'expiresAt', text: expiry.problem } };
  const limit = readLimit(text('limit'), text('requests'));
  if (limit.problem !== undefined) return { problem: { field: 'requests', text: limit.problem } };
  const scopes = fields.getAll('scope');
  const wish = createKeySchema.safeParse({
    name,
    expiresAt: expiry.at,
    ...(limit.limit === null ? {} : { rateLimit: limit.limit }),
    ...(scopes.length > 0 ? { scopes } : {}),
  });
  if (wish.success) return { wish: wish.data };
  const [issue] = wish.error.issues;
  return { problem: { field: 'name', text: sentence(issue?.message ?? '') } };
}

/** A field that only the server refused. */
function refusedField(error: unknown): Problem {
  if (!(error instanceof ApiError) || error.code !== 'invalid_request') return null;
  const known = error.details.find(({ path }) => /(^|[./])(name|expiresAt)$/.test(path));
  return known ? { field: known.path.replace(/^.*[./]/, ''), text: sentence(known.problem) } : null;
}
