import type { Key } from '@soku/contract/keys';
import { nameSchema } from '@soku/contract/names';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { changeKey, updateCachedKey } from '../../../api/change-keys.ts';
import { keyOptions } from '../../../api/keys.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { FormActions } from '../../../components/FormActions.tsx';
import { Loading } from '../../../components/Loading.tsx';
import { parseForm, useSubmit } from '../../../components/use-submit.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

const renameForm = z.object({ name: nameSchema });

export function RenameDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: key, error } = useQuery(keyOptions(id));
  return (
    <Dialog title="Rename this key" onCloseRequest={onClose}>
      {key ? <RenameForm apiKey={key} onClose={onClose} /> : <Loading error={error} />}
    </Dialog>
  );
}

function RenameForm({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  const client = useQueryClient();
  const { busy, problems, failure, submit, edit } = useSubmit(async (fields) => {
    const { name } = parseForm(fields, renameForm);
    updateCachedKey(client, await withSignIn(() => changeKey(apiKey.id, { name })));
    onClose();
  });

  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <TextField
        label="Name"
        name="name"
        defaultValue={apiKey.name}
        autoComplete="off"
        ref={selectOnce}
        hint="Only the name changes. Programs that use the key are not affected."
        problem={problems.name}
      />
      <FormActions failure={failure} busy={busy} onCancel={onClose} submit="Rename" />
    </form>
  );
}

/** The form may be rendered after its dialog was opened, so the field sets the focus itself. */
function selectOnce(field: HTMLInputElement | null): void {
  requestAnimationFrame(() => field?.select());
}
