import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { revokeKey, showKeyInLists } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { Failure, Notice } from '../../../components/Notice.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

interface LostAnswerProps {
  id: string;
  onMakeAnother: () => void;
  onClose: () => void;
}

/** The connection broke after the server had made the key: the key exists, and nobody will ever see it. */
export function LostAnswer({ id, onMakeAnother, onClose }: LostAnswerProps) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const replace = async () => {
    setBusy(true);
    setError(null);
    try {
      showKeyInLists(client, await withSignIn(() => revokeKey(id, false)));
      onMakeAnother();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <div className="form">
      <Notice tone="warn">
        <p>
          The key was made, but the answer with it was lost on the way. It cannot be shown again, not even
          here.
        </p>
      </Notice>
      <p>Revoke the key that nobody has and make another: what you typed is still there.</p>
      <Failure error={error} />
      <DialogActions>
        <Button onClick={onClose}>Leave it in the list</Button>
        <Button look="primary" busy={busy} onClick={replace}>
          Revoke it and make another
        </Button>
      </DialogActions>
    </div>
  );
}
