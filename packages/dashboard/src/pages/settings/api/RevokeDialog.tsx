import './GenerateDialog.css';
import type { Key } from '@soku/server/key-schemas';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keyOptions, revokeKey, showKeyInLists } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { ExactTime, When } from '../../../components/When.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { KeyUse } from './KeyUse.tsx';

interface RevokeDialogProps {
  id: string;
  onClose: () => void;
  onRevoked: (key: Key) => void;
}

export function RevokeDialog({ id, onClose, onRevoked }: RevokeDialogProps) {
  const { data: key, error: loadError } = useQuery(keyOptions(id));
  const { busy, error, revoke } = useRevoke(id, onRevoked);
  const client = useQueryClient();
  // By somebody else, or in another tab: the list behind does not know it yet.
  const already = key?.status === 'revoked' && !busy;
  const requestClose = () => {
    if (busy) return;
    if (!already) return onClose();
    showKeyInLists(client, key);
    onRevoked(key);
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
          <p>
            As soon as it is revoked, every request with this key is answered <code>401 Unauthorized</code>,
            on every server. <strong>This cannot be undone.</strong>
          </p>
        ) : null}
        <Failure error={error} />
        <DialogActions>
          <Button data-autofocus onClick={requestClose}>
            {already || loadError ? 'Close' : 'Cancel'}
          </Button>
          {key && !already ? (
            <Button look="danger" busy={busy} onClick={revoke}>
              Revoke "{key.name}"
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** Never optimistic: "revoked" is said when the server has said it. */
function useRevoke(id: string, onRevoked: (key: Key) => void) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const revoke = async () => {
    setBusy(true);
    setError(null);
    try {
      const key = await withSignIn(() => revokeKey(id));
      showKeyInLists(client, key);
      onRevoked(key);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return { busy, error, revoke };
}

function KeyFacts({ apiKey, id }: { apiKey: Key | undefined; id: string }) {
  return (
    <div className="facts">
      <p className="facts__name">{apiKey ? apiKey.name : <Skeleton width="middle" />}</p>
      <p className="facts__line">{apiKey ? <code>{apiKey.preview}</code> : <Skeleton width="long" />}</p>
      <p className="facts__line">
        {apiKey ? (
          <>
            Created <When at={apiKey.createdAt} />
            {apiKey.revokedAt ? (
              <>
                , revoked <ExactTime at={apiKey.revokedAt} />
              </>
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
