import './RevokeKeysDialog.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { workspaceUsageOptions } from '../../../../api/overview.ts';
import { refetchKeys, revokeAllKeys } from '../../../../api/revoke-many.ts';
import { useSession } from '../../../../api/session.ts';
import { Button } from '../../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../../components/Dialog.tsx';
import { ProblemText, TextField } from '../../../../components/Field.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { readReason } from '../revoke-reasons.ts';
import { Waiting } from '../Waiting.tsx';
import { formatKeyCount, formatRequestCount } from './count-keys.ts';
import { lastDayRequests, unrevokedCountOptions } from './impact.ts';
import { ReasonField } from './ReasonField.tsx';
import { revokedText } from './revoked-text.ts';

interface RevokeAllDialogProps {
  onClose: () => void;
  onRevoked: (message: string) => void;
}

/**
 * For an emergency, such as a leaked backup of all programs. It is rare and affects everything, so the name of the
 * workspace confirms it.
 */
export function RevokeAllDialog({ onClose, onRevoked }: RevokeAllDialogProps) {
  const client = useQueryClient();
  const name = useSession()?.workspace?.name ?? '';
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [isWrong, setIsWrong] = useState(false);
  const { busy, error, run } = useCall(async () => {
    const { revoked, revocation } = await withSignIn(() => revokeAllKeys(readReason(reason)));
    refetchKeys(client);
    onRevoked(revokedText(revoked, 0, revocation));
  });
  const close = () => {
    if (!busy) onClose();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const isConfirmed = name !== '' && typed.trim() === name;
    setIsWrong(!isConfirmed);
    if (isConfirmed) void run();
    else event.currentTarget.querySelector<HTMLElement>('[name="confirmation"]')?.focus();
  };

  return (
    <Dialog title="Revoke all keys?" role="alertdialog" onCloseRequest={close}>
      <form className="form" onSubmit={submit} noValidate>
        <Impact />
        <p>
          <span>
            Every program that uses a key of this workspace stops working: its requests are rejected with{' '}
          </span>
          <code translate="no">401 Unauthorized</code>
          <span>. Disabled and expired keys are revoked, too. </span>
          <strong>This cannot be undone.</strong>
        </p>
        <ReasonField value={reason} onChange={setReason} />
        <TextField
          label="To confirm, enter the name of the workspace"
          name="confirmation"
          autoComplete="off"
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value);
            setIsWrong(false);
          }}
          hint={<bdi translate="no">{name}</bdi>}
          problem={isWrong ? 'Does not match the name below.' : undefined}
        />
        <Failure error={error} />
        <DialogActions>
          <Waiting busy={busy} delayed="This is taking longer than usual. The keys may already be revoked." />
          <Button data-autofocus onClick={close}>
            Cancel
          </Button>
          <Button variant="danger" type="submit" busy={busy}>
            Revoke all keys
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** How many keys and requests are affected. Nothing waits for it, because this may be urgent. */
function Impact() {
  const { data: keys, error } = useQuery(unrevokedCountOptions);
  const { data: usage } = useQuery(workspaceUsageOptions);
  return (
    <div className="revoke-all" role="status">
      {error && keys === undefined ? <ProblemText text="The number of keys could not be loaded." /> : null}
      {!error && keys === undefined ? <Skeleton width="long" /> : null}
      {keys === undefined ? null : (
        <p className="revoke-keys__use">
          <span>{formatKeyCount(keys)}</span>
          {usage ? (
            <span>{`, ${formatRequestCount(lastDayRequests(usage))} in the last 24 hours`}</span>
          ) : null}
        </p>
      )}
    </div>
  );
}
