import { type CreateKey, createKeySchema } from '@soku/contract/keys';
import { type FormEvent, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiError } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { toSentence } from '../../../components/sentence.ts';
import { ExpiryField } from './ExpiryField.tsx';
import { parseExpiry } from './expiry.ts';
import { parseLimit } from './limit.ts';
import { NewKeyLimit } from './NewKeyLimit.tsx';
import { ScopeFields } from './ScopeFields.tsx';
import type { KeyCreation } from './use-create-key.ts';

const suggestions = ['Production', 'Staging', 'CI/CD Pipeline'];

export function GenerateForm({ creation, onCancel }: { creation: KeyCreation; onCancel: () => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<Problem>(null);
  // The server's rejection is shown until the rejected field is edited.
  const [dismissed, setDismissed] = useState<unknown>(null);
  const [more, setMore] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { input, problem: invalid } = readForm(name, new FormData(form));
    if (invalid) {
      const field = form.querySelector<HTMLElement>(`[name="${invalid.field}"]`);
      // A field in a collapsed section cannot be focused.
      flushSync(() => {
        setProblem(invalid);
        if (field?.closest('details')) setMore(true);
      });
      (field ?? nameField.current)?.focus();
      return;
    }
    setProblem(null);
    void creation.create(input);
  };

  const choose = (suggestion: string) => {
    setName(suggestion);
    setProblem(null);
    nameField.current?.focus();
  };

  const edit = (event: FormEvent<HTMLFormElement>) => {
    const field = fieldOf(event.target);
    if (field === problem?.field) setProblem(null);
    if (field === rejectedField(creation.error)?.field) setDismissed(creation.error);
  };

  const failure = creation.error === dismissed ? null : creation.error;
  const problems = problem ?? rejectedField(failure);
  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <div className="name-field">
        <TextField
          ref={nameField}
          label="Name"
          name="name"
          hint="Describes where the key is used, so that you can find it later."
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
        <summary>Expiration, rate limit and scopes</summary>
        <div className="more__fields">
          <ExpiryField problem={problems?.field === 'expiresAt' ? problems.text : undefined} />
          <NewKeyLimit problem={problems?.field === 'requests' ? problems.text : undefined} />
          <ScopeFields />
        </div>
      </details>
      <Failure error={problems === null ? failure : null} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={creation.busy}>
          Create
        </Button>
      </DialogActions>
    </form>
  );
}

/** The field whose problem an input clears. A select clears the problem of the field that depends on it. */
function fieldOf(target: EventTarget): string {
  const name = target instanceof HTMLElement ? (target.getAttribute('name') ?? '') : '';
  return { expiry: 'expiresAt', limit: 'requests' }[name] ?? name;
}

type Problem = { field: string; text: string } | null;

/** The input of the form, or its first problem. */
function readForm(
  name: string,
  fields: FormData,
): { input: CreateKey; problem?: undefined } | { input?: undefined; problem: Problem & object } {
  const text = (field: string) => String(fields.get(field) ?? '');
  const expiry = parseExpiry(text('expiry'), text('expiresAt'));
  if (expiry.problem !== undefined) return { problem: { field: 'expiresAt', text: expiry.problem } };
  const limit = parseLimit(text('limit'), text('requests'));
  if (limit.problem !== undefined) return { problem: { field: 'requests', text: limit.problem } };
  const scopes = fields.getAll('scope');
  const input = createKeySchema.safeParse({
    name,
    expiresAt: expiry.at,
    ...(limit.limit === null ? {} : { rateLimit: limit.limit }),
    ...(scopes.length > 0 ? { scopes } : {}),
  });
  if (input.success) return { input: input.data };
  const [issue] = input.error.issues;
  return { problem: { field: 'name', text: toSentence(issue?.message ?? '') } };
}

/** A field that only the server rejected. */
function rejectedField(error: unknown): Problem {
  if (!(error instanceof ApiError) || error.code !== 'invalid_request') return null;
  const known = error.details.find(({ path }) => /(^|[./])(name|expiresAt)$/.test(path));
  return known ? { field: known.path.replace(/^.*[./]/, ''), text: toSentence(known.problem) } : null;
}
