import type { CreateKey } from '@soku/contract/key-requests';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { workspaceOptions } from '../../../api/workspace.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import type { FieldProblems } from '../../../components/use-submit.ts';
import { ExpiryField } from './ExpiryField.tsx';
import { readNewKey, rejectedFields } from './new-key-form.ts';
import { PolicyFields } from './PolicyFields.tsx';
import type { KeyCreation } from './use-create-key.ts';

const suggestions = ['Production', 'Staging', 'CI/CD Pipeline'];

interface GenerateFormProps {
  creation: KeyCreation<CreateKey>;
  onCancel: () => void;
}

export function GenerateForm({ creation, onCancel }: GenerateFormProps) {
  const [name, setName] = useState('');
  const [invalid, setInvalid] = useState<FieldProblems>({});
  // The server's rejection is shown until the rejected field is edited.
  const [dismissed, setDismissed] = useState<unknown>(null);
  const [more, setMore] = useState(false);
  // Loads what the fields need only if they are opened. Afterwards they keep their input while they are collapsed.
  const [opened, setOpened] = useState(false);
  // A key of this workspace needs a date, so its field is not among the optional ones.
  const needsExpiry = useNeedsExpiry(opened);
  const nameField = useRef<HTMLInputElement>(null);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { input, problems = {} } = readNewKey(new FormData(form));
    if (input) {
      setInvalid({});
      void creation.create(input);
      return;
    }
    // A field in a collapsed section cannot be focused.
    flushSync(() => {
      setInvalid(problems);
      if (isInMore(problems)) setMore(true);
    });
    form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };

  const isInMore = (shown: FieldProblems) =>
    Object.keys(shown).some((field) => field !== 'name' && !(needsExpiry && field === 'expiresAt'));

  const choose = (suggestion: string) => {
    setName(suggestion);
    setInvalid({});
    nameField.current?.focus();
  };

  const edit = (event: FormEvent<HTMLFormElement>) => {
    const field = fieldOf(event.target);
    if (invalid[field] !== undefined) setInvalid({});
    if (rejectedFields(creation.error)[field] !== undefined) setDismissed(creation.error);
  };

  const failure = creation.error === dismissed ? null : creation.error;
  const problems = Object.keys(invalid).length > 0 ? invalid : rejectedFields(failure);
  const isShown = Object.keys(problems).length > 0;
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
          problem={problems.name}
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
      {needsExpiry ? <ExpiryField current={null} problem={problems.expiresAt} /> : null}
      <details
        className="more"
        open={more || isInMore(problems)}
        onToggle={({ currentTarget: { open } }) => {
          setMore(open);
          if (open) setOpened(true);
        }}
      >
        <summary>{needsExpiry ? 'Scopes and other options' : 'Scopes, expiration and other options'}</summary>
        {opened ? <PolicyFields problems={problems} withExpiry={!needsExpiry} /> : null}
      </details>
      <Failure error={isShown ? null : failure} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={creation.busy}>
          Create
        </Button>
      </DialogActions>
    </form>
  );
}

/**
 * Whether a key without a date would be rejected. With a maximum lifetime, it would get the latest date. Once the field for
 * the date was shown, the result stays the same: if the workspace changes, the field must not move and lose its input.
 *
 * @param opened whether the optional fields were opened
 */
function useNeedsExpiry(opened: boolean): boolean {
  const { data: workspace } = useQuery(workspaceOptions);
  const [shown, setShown] = useState<boolean>();
  if (workspace === undefined || shown !== undefined) return shown ?? false;
  const needs = workspace.requireKeyExpiry && workspace.maxKeyLifetimeDays === null;
  if (needs || opened) setShown(needs);
  return needs;
}

/** The field whose problem an input clears. A select clears the problem of the field that depends on it. */
function fieldOf(target: EventTarget): string {
  const name = target instanceof HTMLElement ? (target.getAttribute('name') ?? '') : '';
  return { expiry: 'expiresAt', limit: 'requests', scope: 'scopes' }[name] ?? name;
}
