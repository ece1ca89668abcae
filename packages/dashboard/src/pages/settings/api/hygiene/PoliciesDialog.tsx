import type { Hygiene } from '@soku/contract/hygiene';
import type { Workspace } from '@soku/contract/workspaces';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { hygieneOptions } from '../../../../api/hygiene.ts';
import { changeWorkspace, workspaceOptions } from '../../../../api/workspace.ts';
import { Dialog } from '../../../../components/Dialog.tsx';
import { SelectField, TextField } from '../../../../components/Field.tsx';
import { FormActions } from '../../../../components/FormActions.tsx';
import { Loading } from '../../../../components/Loading.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { useSubmit } from '../../../../components/use-submit.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { formatKeyCount } from '../bulk/count-keys.ts';
import { changedPolicies, readDayFields } from './policies.ts';

/** The policies of the workspace, each with its effect on the keys that exist. */
export function PoliciesDialog({ onClose }: { onClose: () => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  // The counts are the same with each kind. Without them, the dialog only lacks some sentences.
  const { data } = useInfiniteQuery(hygieneOptions('rotation_unfinished'));
  return (
    <Dialog title="Policies" onCloseRequest={onClose}>
      {workspace ? (
        <PoliciesForm workspace={workspace} counts={data?.pages[0]?.counts} onClose={onClose} />
      ) : (
        <Loading error={error} />
      )}
    </Dialog>
  );
}

interface PoliciesFormProps {
  workspace: Workspace;
  /** Undefined while it is loading. */
  counts: Hygiene['counts'];
  onClose: () => void;
}

function PoliciesForm({ workspace, counts, onClose }: PoliciesFormProps) {
  const client = useQueryClient();
  // What the fields showed at first. Someone else may change the workspace meanwhile.
  const [shown] = useState(workspace);
  const [requireKeyExpiry, setRequired] = useState(shown.requireKeyExpiry);
  const [revokeLeakedKeys, setRevokes] = useState(shown.revokeLeakedKeys);
  const { busy, problems, failure, submit, edit } = useSubmit(async (fields) => {
    const after = { ...readDayFields(fields), requireKeyExpiry, revokeLeakedKeys };
    const change = changedPolicies(shown, after);
    if (Object.keys(change).length === 0) return onClose();
    const changed = await withSignIn(() => changeWorkspace(change));
    client.setQueryData(workspaceOptions.queryKey, changed);
    await client.invalidateQueries({ queryKey: ['keys', 'hygiene'] });
    announce('Policies saved.');
    onClose();
  });
  const { maxSecretAgeDays, maxKeyLifetimeDays, maxKeyIdleDays } = shown;
  const days = { inputMode: 'numeric', autoComplete: 'off' } as const;
  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <SelectField
        label="Expiration date of new keys"
        value={requireKeyExpiry ? 'required' : 'optional'}
        onChange={({ target }) => setRequired(target.value === 'required')}
        hint={`Existing keys keep their dates.${existing(counts?.never_expires, 'never expires', 'never expire')}`}
        data-autofocus
      >
        <option value="optional">Optional</option>
        <option value="required">Required</option>
      </SelectField>
      <TextField
        {...days}
        label="Maximum lifetime of new keys, in days"
        name="maxKeyLifetimeDays"
        placeholder="No maximum"
        defaultValue={maxKeyLifetimeDays ?? ''}
        problem={problems.maxKeyLifetimeDays}
        hint={`New keys expire within this time, and no one can set a later date.${existing(maxKeyLifetimeDays === null ? undefined : counts?.expires_too_late, 'expires later', 'expire later')}`}
      />
      <TextField
        {...days}
        label="Disable keys after this many days without use"
        name="maxKeyIdleDays"
        placeholder="Never"
        defaultValue={maxKeyIdleDays ?? ''}
        problem={problems.maxKeyIdleDays}
        hint="Members of the workspace get two warnings first. A disabled key can be enabled again."
      />
      <TextField
        {...days}
        label="Maximum age of secrets, in days"
        name="maxSecretAgeDays"
        placeholder="No maximum"
        defaultValue={maxSecretAgeDays ?? ''}
        problem={problems.maxSecretAgeDays}
        hint={`Keys with an older secret are listed under Hygiene until they are rotated, and members get one email. These keys stay valid.${existing(maxSecretAgeDays === null ? undefined : counts?.older_than_policy, 'is older now', 'are older now')}`}
      />
      <SelectField
        label="When GitHub reports a leaked key"
        value={revokeLeakedKeys ? 'revoke' : 'notify'}
        onChange={({ target }) => setRevokes(target.value === 'revoke')}
        hint="GitHub sends reports only if the operator has joined its secret scanning partner program."
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
