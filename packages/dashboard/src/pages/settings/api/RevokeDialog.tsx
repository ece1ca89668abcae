import './RevokeDialog.css';
import type { Key } from '@soku/contract/keys';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { keyOptions, revokeKey, updateCachedKey } from '../../../api/keys.ts';
import { KeyPreview } from '../../../components/Bitting.tsx';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { ExactTime, When } from '../../../components/When.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { DescendantsField } from './DescendantsField.tsx';
import { UsageSummary } from './UsageSummary.tsx';
import type { OnRevoked } from './use-after-revoke.ts';

interface RevokeDialogProps {
  id: string;
  onClose: () => void;
  onRevoked: OnRevoked;
}

export function RevokeDialog({ id, onClose, onRevoked }: RevokeDialogProps) {
  const { data: key, error: loadError } = useQuery(keyOptions(id));
  const [descendants, setDescendants] = useState(false);
  const { busy, error, revoke } = useRevoke(id, descendants, onRevoked);
  const client = useQueryClient();
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
        {loadError && !key ? <Failure error={loadError} /> : <KeyFacts apiKey={key} id={id} />}
        {key && !already ? (
          <>
            <p>
              Once revoked, this key stops working on every server: requests with it are rejected with{' '}
              <code translate="no">401 Unauthorized</code>. <strong>This cannot be undone.</strong>
            </p>
            <DescendantsField apiKey={key} checked={descendants} disabled={busy} onChange={setDescendants} />
          </>
        ) : null}
        <Failure error={error} />
        <DialogActions>
          <Waiting busy={busy} />
          <Button data-autofocus onClick={requestClose}>
            {already || loadError ? 'Close' : 'Cancel'}
          </Button>
          {key && !already ? (
            <Button variant="danger" busy={busy} onClick={revoke}>
              {`Revoke "${key.name}"`}
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** Not optimistic: the key is shown as revoked only after the server has confirmed it. */
function useRevoke(id: string, descendants: boolean, onRevoked: OnRevoked) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // State changes take effect only at the next render, and a second click may come before it.
  const sent = useRef(false);
  const revoke = async () => {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    setError(null);
    try {
      const { revocation, ...key } = await withSignIn(() => revokeKey(id, descendants));
      updateCachedKey(client, key);
      onRevoked(key, revocation);
    } catch (failure) {
      setError(failure);
      setBusy(false);
      sent.current = false;
    }
  };
  return { busy, error, revoke };
}

/** In ms. A revoke usually takes a few ms, and waits up to 2.2 s for a server that is frozen or cut off. */
const waitingAfter = 400;
const delayedAfter = 3000;

/** Explains a delay. The live region exists before its text, because screen readers would not announce it otherwise. */
function Waiting({ busy }: { busy: boolean }) {
  const [message, setMessage] = useState<string | null>(null);
  useEffect(() => {
    if (!busy) return;
    const timers = [
      setTimeout(() => setMessage('Waiting for every server to confirm…'), waitingAfter),
      setTimeout(
        () => setMessage('This is taking longer than usual. The key may already be revoked.'),
        delayedAfter,
      ),
    ];
    return () => {
      for (const timer of timers) clearTimeout(timer);
      setMessage(null);
    };
  }, [busy]);
  return (
    <p className="revoke-waiting" role="status">
      {message}
    </p>
  );
}

function KeyFacts({ apiKey, id }: { apiKey: Key | undefined; id: string }) {
  return (
    <div className="facts">
      <p className="facts__name" translate="no">
        {apiKey ? apiKey.name : <Skeleton width="middle" />}
      </p>
      <p className="facts__line">
        {apiKey ? <KeyPreview preview={apiKey.preview} status={apiKey.status} /> : <Skeleton width="long" />}
      </p>
      <p className="facts__line">
        {apiKey ? (
          <>
            <span>
              Created <When at={apiKey.createdAt} />
            </span>
            {apiKey.revokedAt ? (
              <span>
                , revoked <ExactTime at={apiKey.revokedAt} />
              </span>
            ) : null}
          </>
        ) : (
          <Skeleton width="short" />
        )}
      </p>
      {apiKey?.status === 'revoked' ? null : <UsageSummary id={id} />}
    </div>
  );
}
