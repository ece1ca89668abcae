import type { Key } from '@soku/contract/keys';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { revokeKey, updateCachedKey } from '../../../api/change-keys.ts';
import { keyOptions } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { SelectField } from '../../../components/Field.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { useCall } from '../../../components/use-call.ts';
import { usePanel } from '../../../components/use-panel.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { DescendantsField } from './DescendantsField.tsx';
import { KeySummary } from './KeySummary.tsx';
import { readReason, revokeReasons } from './revoke-reasons.ts';
import type { OnRevoked } from './use-after-revoke.ts';
import { Waiting } from './Waiting.tsx';

interface RevokeDialogProps {
  id: string;
  onClose: () => void;
  onRevoked: OnRevoked;
}

export function RevokeDialog({ id, onClose, onRevoked }: RevokeDialogProps) {
  const { data: key, error: loadError } = useQuery(keyOptions(id));
  const [descendants, setDescendants] = useState(false);
  const [reason, setReason] = useState('');
  const client = useQueryClient();
  // Not optimistic: the key is shown as revoked only after the server has confirmed it.
  const { busy, error, run } = useCall(async () => {
    const { revocation, ...revoked } = await withSignIn(() => revokeKey(id, descendants, readReason(reason)));
    updateCachedKey(client, revoked);
    onRevoked(revoked, revocation);
  });
  const revoked = key?.status === 'revoked' && !busy;
  // Another person or tab has revoked the key, and the list behind the dialog does not show it yet. After an error, it
  // may have been this revoke. It must then be repeated until it succeeds, because only a successful revoke is in effect
  // on every server and survives a restore.
  const already = revoked && error === null;
  const requestClose = () => {
    if (busy) return;
    if (revoked) updateCachedKey(client, key);
    if (already) onRevoked(key, undefined);
    else onClose();
  };

  return (
    <Dialog
      title={already ? 'This key is already revoked' : 'Revoke this key?'}
      role="alertdialog"
      onCloseRequest={requestClose}
    >
      <div className="form">
        {loadError && !key ? <Failure error={loadError} /> : <KeySummary apiKey={key} id={id} />}
        {key && !already ? (
          <>
            <Consequences apiKey={key} busy={busy} />
            <DescendantsField apiKey={key} checked={descendants} disabled={busy} onChange={setDescendants} />
            <SelectField
              label="Reason (optional)"
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            >
              <option value="">Not stated</option>
              {revokeReasons.map(({ reason: value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </SelectField>
          </>
        ) : null}
        <Failure error={error} />
        <DialogActions>
          <Waiting busy={busy} delayed="This is taking longer than usual. The key may already be revoked." />
          <Button data-autofocus onClick={requestClose}>
            {already || loadError ? 'Close' : 'Cancel'}
          </Button>
          {key && !already ? (
            <Button variant="danger" busy={busy} onClick={run}>
              {`Revoke "${key.name}"`}
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

function Consequences({ apiKey, busy }: { apiKey: Key; busy: boolean }) {
  return (
    <>
      <p>
        Once revoked, this key stops working on every server: requests with it are rejected with{' '}
        <code translate="no">401 Unauthorized</code>. <strong>This cannot be undone.</strong>
      </p>
      {apiKey.status === 'active' && apiKey.lastUsedAt !== null ? (
        <p>
          <span>To replace its secret without downtime, </span>
          <RotateInstead busy={busy}>rotate it instead</RotateInstead>
          <span>.</span>
        </p>
      ) : null}
    </>
  );
}

function RotateInstead({ busy, children }: { busy: boolean; children: ReactNode }) {
  const { switchPanel } = usePanel();
  return (
    <Button variant="link" onClick={() => (busy ? undefined : switchPanel('rotate'))}>
      {children}
    </Button>
  );
}
