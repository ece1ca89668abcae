import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { revokeKey, updateCachedKey } from '../../../api/change-keys.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { Failure, Notice } from '../../../components/Notice.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

interface LostResponseProps {
  id: string;
  onCreateAnother: () => void;
  onClose: () => void;
}

/** Shown if the connection broke after the server created the key: the key exists, but can never be shown. */
export function LostResponse({ id, onCreateAnother, onClose }: LostResponseProps) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const replace = async () => {
    setBusy(true);
    setError(null);
    try {
      updateCachedKey(client, await withSignIn(() => revokeKey(id, false)));
      onCreateAnother();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <div className="form">
      <Notice tone="warn">
        <p>The key was created, but the response that contains it was lost. The key cannot be shown again.</p>
      </Notice>
      <p>Revoke this key and create another one. Your input is still in the form.</p>
      <Failure error={error} />
      <DialogActions>
        <Button onClick={onClose}>Close without revoking</Button>
        <Button variant="primary" busy={busy} onClick={replace}>
          Revoke and create another
        </Button>
      </DialogActions>
    </div>
  );
}
