import './GenerateDialog.css';
import './RevokeDialog.css';
import type { Key } from '@soku/contract/keys';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { keyOptions, revokeKey, showKeyInLists } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { ExactTime, When } from '../../../components/When.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { DescendantsField } from './DescendantsField.tsx';
import { KeyUse } from './KeyUse.tsx';
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
  // By somebody else, or in another tab: the list behind does not know it yet. But after a failure it may have been
  // this very revoke, which holds on every server, and after a restore, only when it is repeated until it succeeds.
  const already = revoked && error === null;
  const requestClose = () => {
    if (busy) return;
    if (revoked) showKeyInLists(client, key);
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
              As soon as it is revoked, every request with this key is answered{' '}
              <code translate="no">401 Unauthorized</code>, on every server.{' '}
              <strong>This cannot be undone.</strong>
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
            <Button look="danger" busy={busy} onClick={revoke}>
              {`Revoke "${key.name}"`}
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** Never optimistic: "revoked" is said when the server has said it. */
function useRevoke(id: string, descendants: boolean, onRevoked: OnRevoked) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // The state is only seen by the next rendering, and two clicks may come before it.
  const sent = useRef(false);
  const revoke = async () => {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    setError(null);
    try {
      const { revocation, ...key } = await withSignIn(() => revokeKey(id, descendants));
      showKeyInLists(client, key);
      onRevoked(key, revocation);
    } catch (failure) {
      setError(failure);
      setBusy(false);
      sent.current = false;
    }
  };
  return { busy, error, revoke };
}

/** Said after so many ms. A revoke takes a few; a server that is frozen or cut off is waited for, up to 2.2 s. */
const soon = 400;
const tooLate = 3000;

/** Says why it takes so long, once it does. The region is there before its text, or no screen reader would read it. */
function Waiting({ busy }: { busy: boolean }) {
  const [words, setWords] = useState<string | null>(null);
  useEffect(() => {
    if (!busy) return;
    const timers = [
      setTimeout(() => setWords('Waiting until every server knows…'), soon),
      setTimeout(() => setWords('This takes longer than it should. The key may be dead already…'), tooLate),
    ];
    return () => {
      for (const timer of timers) clearTimeout(timer);
      setWords(null);
    };
  }, [busy]);
  return (
    <p className="revoke-waiting" role="status">
      {words}
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
        {apiKey ? <code translate="no">{apiKey.preview}</code> : <Skeleton width="long" />}
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
      {apiKey?.status === 'revoked' ? null : <KeyUse id={id} />}
    </div>
  );
}
