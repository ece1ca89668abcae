import type { Key } from '@soku/contract/keys';
import { nameSchema } from '@soku/contract/names';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../../api/client.ts';
import { changeKey, keyOptions, showKeyInLists } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { TextField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { sentence } from '../../../components/sentence.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

export function RenameDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: key, error } = useQuery(keyOptions(id));
  return (
    <Dialog title="Rename this key" onCloseRequest={onClose}>
      {key ? <RenameForm apiKey={key} onClose={onClose} /> : null}
      {!key && error ? <Failure error={error} /> : null}
      {!key && !error ? <Skeleton width="full" /> : null}
    </Dialog>
  );
}

function RenameForm({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const name = nameSchema.safeParse(new FormData(event.currentTarget).get('name'));
    setProblem(name.success ? undefined : sentence(name.error.issues[0]?.message ?? ''));
    setFailure(null);
    if (!name.success) return;
    setBusy(true);
    try {
      showKeyInLists(client, await withSignIn(() => changeKey(apiKey.id, { name: name.data })));
      onClose();
    } catch (error) {
      const refused = refusedName(error);
      setProblem(refused);
      setFailure(refused === undefined ? error : null);
      setBusy(false);
    }
  };

  return (
    <form className="form" onSubmit={submit} noValidate>
      <TextField
        label="Name"
        name="name"
        defaultValue={apiKey.name}
        autoComplete="off"
        ref={selectOnce}
        hint="Only the name changes. The key itself and everything that uses it stay as they are."
        problem={problem}
        onInput={() => setProblem(undefined)}
      />
      <Failure error={failure} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" busy={busy}>
          Rename
        </Button>
      </DialogActions>
    </form>
  );
}

/** What only the server knows of a name belongs to the field, too. */
function refusedName(error: unknown): string | undefined {
  if (!(error instanceof ApiError) || error.code !== 'invalid_request') return undefined;
  const refused = error.details.find(({ path }) => /(^|[./])name$/.test(path));
  return refused && sentence(refused.problem);
}

/** The form may come after its dialog was opened, so the field takes the focus by itself. */
function selectOnce(field: HTMLInputElement | null): void {
  requestAnimationFrame(() => field?.select());
}
