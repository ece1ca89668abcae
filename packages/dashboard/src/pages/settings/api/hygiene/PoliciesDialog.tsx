import type { Hygiene } from '@soku/contract/hygiene';
import { type Workspace, workspaceSchema } from '@soku/contract/workspaces';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeWorkspace, workspaceOptions } from '../../../../api/workspace.ts';
import { Dialog } from '../../../../components/Dialog.tsx';
import { SelectField, TextField } from '../../../../components/Field.tsx';
import { FormActions } from '../../../../components/FormActions.tsx';
import { Loading } from '../../../../components/Loading.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { InvalidFields, useSubmit } from '../../../../components/use-submit.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { formatKeyCount } from '../bulk/count-keys.ts';

interface PoliciesDialogProps {
  /** Undefined while it is loading. */
  counts: Hygiene['counts'];
  onClose: () => void;
}

/** The policies of the workspace, each with its effect on the keys that exist. */
export function PoliciesDialog({ counts, onClose }: PoliciesDialogProps) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  return (
    <Dialog title="Policies" onCloseRequest={onClose}>
      {workspace ? (
        <PoliciesForm workspace={workspace} counts={counts} onClose={onClose} />
      ) : (
        <Loading error={error} />
      )}
    </Dialog>
  );
}

function PoliciesForm({ workspace, counts, onClose }: PoliciesDialogProps & { workspace: Workspace }) {
  const client = useQueryClient();
  // What the fields showed at first. Someone else may change the workspace meanwhile.
  const [shown] = useState(workspace);
  const [revokes, setRevokes] = useState(shown.revokeLeakedKeys);
  const { busy, problems, failure, submit, edit } = useSubmit(async (fields) => {
    const change = changedPolicies(shown, {
      maxSecretAgeDays: parseDays('age', fields),
      maxKeyLifetimeDays: parseDays('lifetime', fields),
      revokeLeakedKeys: revokes,
    });
    if (Object.keys(change).length === 0) return onClose();
    const changed = await withSignIn(() => changeWorkspace(change));
    client.setQueryData(workspaceOptions.queryKey, changed);
    await client.invalidateQueries({ queryKey: ['keys', 'hygiene'] });
    announce('Policies saved.');
    onClose();
  });
  const { maxSecretAgeDays, maxKeyLifetimeDays } = shown;
  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <TextField
        label="Maximum age of secrets, in days"
        name="age"
        inputMode="numeric"
        autoComplete="off"
        placeholder="No maximum"
        defaultValue={maxSecretAgeDays ?? ''}
        problem={problems.age}
        hint={`Older keys are listed here until they are rotated. They stay valid.${existing(maxSecretAgeDays === null ? undefined : counts?.older_than_policy, 'is older now', 'are older now')}`}
        data-autofocus
      />
      <TextField
        label="Maximum lifetime of new keys, in days"
        name="lifetime"
        inputMode="numeric"
        autoComplete="off"
        placeholder="No maximum"
        defaultValue={maxKeyLifetimeDays ?? ''}
        problem={problems.lifetime}
        hint={`New keys expire within this time. Existing keys keep their dates.${existing(counts?.never_expires, 'never expires', 'never expire')}`}
      />
      <SelectField
        label="When GitHub reports a leaked key"
        value={revokes ? 'revoke' : 'notify'}
        onChange={({ target }) => setRevokes(target.value === 'revoke')}
        hint="Reports arrive only if this server is a member of GitHub's secret scanning partner program."
      >
        <option value="notify">Show an alert</option>
        <option value="revoke">Revoke the key at once</option>
      </SelectField>
      <FormActions failure={failure} busy={busy} onCancel={onClose} submit="Save" />
    </form>
  );
}

/** A sentence about the keys that exist, or nothing if there are none. */
function existing(count: number | undefined, one: string, many: string): string {
  return count ? ` ${formatKeyCount(count)} ${count === 1 ? one : many}.` : '';
}

type Policies = Pick<Workspace, 'maxSecretAgeDays' | 'maxKeyLifetimeDays' | 'revokeLeakedKeys'>;

/** Only the changed ones are sent, so that what someone else changes at the same time stays. */
function changedPolicies(before: Policies, after: Policies): Partial<Policies> {
  const { maxSecretAgeDays, maxKeyLifetimeDays, revokeLeakedKeys } = after;
  return {
    ...(maxSecretAgeDays !== before.maxSecretAgeDays && { maxSecretAgeDays }),
    ...(maxKeyLifetimeDays !== before.maxKeyLifetimeDays && { maxKeyLifetimeDays }),
    ...(revokeLeakedKeys !== before.revokeLeakedKeys && { revokeLeakedKeys }),
  };
}

/** An empty field stands for no maximum. Number() alone would also accept 1e2 and 0x10. */
function parseDays(name: 'age' | 'lifetime', fields: FormData): number | null {
  const text = String(fields.get(name) ?? '').trim();
  if (text === '') return null;
  const days = workspaceSchema.shape.maxSecretAgeDays.safeParse(
    /^\d+$/.test(text) ? Number(text) : undefined,
  );
  if (days.success) return days.data;
  throw new InvalidFields({ [name]: 'Enter a number from 1 to 3,650, or nothing.' });
}
