import type { Key } from '@soku/contract/keys';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeKey, updateCachedKey } from '../../../api/change-keys.ts';
import { keyOptions } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { useCall } from '../../../components/use-call.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { KeySummary } from './KeySummary.tsx';
import { Waiting } from './Waiting.tsx';

interface DisableDialogProps {
  id: string;
  onClose: () => void;
}

/** Disables a key, or enables one that is disabled. */
export function DisableDialog({ id, onClose }: DisableDialogProps) {
  const { data: key, error: loadError, isFetching } = useQuery(keyOptions(id));
  const { enables, busy, error, run } = useSwitch(key, isFetching, onClose);
  const changeable = key && key.status !== 'revoked' ? key : null;
  const verb = enables ? 'Enable' : 'Disable';
  const requestClose = () => {
    if (!busy) onClose();
  };
  return (
    <Dialog title={`${verb} this key?`} role="alertdialog" onCloseRequest={requestClose}>
      <div className="form">
        {loadError && !key ? <Failure error={loadError} /> : <KeySummary apiKey={key} id={id} />}
        {changeable ? <Consequence enables={enables} expired={changeable.status === 'expired'} /> : null}
        {key && !changeable ? <p>This key is revoked, which is permanent.</p> : null}
        <Failure error={error} />
        <DialogActions>
          <Waiting
            busy={busy}
            delayed="This is taking longer than usual. The change may already be in effect."
          />
          <Button data-autofocus onClick={requestClose}>
            {changeable ? 'Cancel' : 'Close'}
          </Button>
          {changeable ? (
            <Button variant="primary" busy={busy} onClick={run}>
              {`${verb} "${changeable.name}"`}
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

function useSwitch(key: Key | undefined, isFetching: boolean, onClose: () => void) {
  const client = useQueryClient();
  // The call, another tab or another person may change the key while the dialog is open. The button must not turn into
  // its opposite under the pointer.
  const [asked, setAsked] = useState<boolean | null>(null);
  if (asked === null && key && !isFetching) setAsked(key.disabledAt !== null);
  const enables = asked ?? (key !== undefined && key.disabledAt !== null);
  const call = useCall(async () => {
    if (!key) return;
    setAsked(enables);
    const changed = await withSignIn(() => changeKey(key.id, { disabled: !enables }));
    updateCachedKey(client, changed);
    announce(describeResult(changed), changed.name);
    onClose();
  });
  return { enables, ...call };
}

function describeResult({ disabledAt, status }: Key): string {
  const isExpired = status === 'expired';
  if (disabledAt !== null && isExpired)
    return 'Disabled. It stays rejected even with a later expiration date, until you enable it.';
  if (disabledAt !== null) return 'Disabled. No server accepts it until you enable it.';
  if (isExpired) return 'Enabled. It is rejected because it has expired.';
  return 'Enabled. Every server accepts it again.';
}

function Consequence({ enables, expired }: { enables: boolean; expired: boolean }) {
  if (expired && enables)
    return (
      <p key="enable-expired">
        The key has expired. Every server rejects it until it gets a later expiration date.
      </p>
    );
  if (expired)
    return (
      <p key="disable-expired">
        The key has expired. Once it is disabled, it stays rejected even with a later expiration date, until
        you enable it again. If it has leaked, revoke it instead.
      </p>
    );
  if (enables)
    return <p key="enable">Every server accepts the key again, with the same scopes and limits as before.</p>;
  return (
    <p key="disable">
      Until you enable it again, every server rejects requests with this key with{' '}
      <code translate="no">403 Forbidden</code>. If it has leaked, revoke it instead.
    </p>
  );
}
