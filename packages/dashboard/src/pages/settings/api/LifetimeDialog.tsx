import { workspaceSchema } from '@soku/contract/workspaces';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeWorkspace, workspaceOptions } from '../../../api/workspace.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { FormActions } from '../../../components/FormActions.tsx';
import { Loading } from '../../../components/Loading.tsx';
import { announce } from '../../../components/Toast.tsx';
import { InvalidFields, useSubmit } from '../../../components/use-submit.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { formatLifetime } from './lifetime.ts';
import { formatDays } from './list/filters.ts';

/** Limits how long new keys of the workspace are valid. */
export function LifetimeDialog({ onClose }: { onClose: () => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  return (
    <Dialog title="Maximum lifetime of keys" onCloseRequest={onClose}>
      {workspace ? (
        <LifetimeForm days={workspace.maxKeyLifetimeDays} onClose={onClose} />
      ) : (
        <Loading error={error} />
      )}
    </Dialog>
  );
}

/** In days. */
const presets = [30, 90, 180, 365];

function choiceOf(days: number | null): string {
  if (days === null) return 'none';
  return presets.includes(days) ? String(days) : 'custom';
}

function LifetimeForm({ days, onClose }: { days: number | null; onClose: () => void }) {
  const client = useQueryClient();
  const [choice, setChoice] = useState(choiceOf(days));
  const { busy, problems, failure, submit, edit } = useSubmit(async (fields) => {
    const maxKeyLifetimeDays = parseLifetime(choice, String(fields.get('days') ?? ''));
    const changed = await withSignIn(() => changeWorkspace({ maxKeyLifetimeDays }));
    client.setQueryData(workspaceOptions.queryKey, changed);
    announce(`Maximum lifetime of new keys: ${formatLifetime(changed.maxKeyLifetimeDays)}.`);
    onClose();
  });

  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <SelectField
        label="Maximum lifetime"
        value={choice}
        onChange={({ target }) => setChoice(target.value)}
        data-autofocus
      >
        <option value="none">No maximum</option>
        {presets.map((preset) => (
          <option key={preset} value={preset}>
            {preset === 365 ? '1 year' : formatDays(preset)}
          </option>
        ))}
        <option value="custom">Custom…</option>
      </SelectField>
      {choice === 'custom' ? (
        <TextField
          label="Days"
          name="days"
          inputMode="numeric"
          autoComplete="off"
          defaultValue={days ?? ''}
          problem={problems.days}
        />
      ) : null}
      <p>
        New keys expire no later than this after they are created, and no one can choose a later date. Keys
        that exist keep their dates.
      </p>
      <FormActions failure={failure} busy={busy} onCancel={onClose} submit="Save" />
    </form>
  );
}

function parseLifetime(choice: string, text: string): number | null {
  if (choice === 'none') return null;
  const days = workspaceSchema.shape.maxKeyLifetimeDays.safeParse(
    Number(choice === 'custom' ? text.trim() : choice),
  );
  if (days.success) return days.data;
  throw new InvalidFields({ days: 'Enter a number from 1 to 3,650.' });
}
