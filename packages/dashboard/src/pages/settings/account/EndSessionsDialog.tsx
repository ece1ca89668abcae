import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { browserSessionsOptions, endAllSessions, endOtherSessions } from '../../../api/account.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { useAfterSignOut } from '../../../session/use-sign-out.ts';

/** @param here whether this browser's session ends as well */
export function EndSessionsDialog({ here, onClose }: { here: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const leave = useAfterSignOut();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const end = async () => {
    setBusy(true);
    setError(null);
    try {
      await withSignIn(here ? endAllSessions : endOtherSessions);
      if (here) return await leave();
      onClose();
      announce('All other browsers are signed out.');
      void client.invalidateQueries({ queryKey: browserSessionsOptions.queryKey });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={here ? 'Sign out everywhere?' : 'Sign out everywhere else?'}
      role="alertdialog"
      onCloseRequest={onClose}
    >
      <p>
        {here
          ? 'All browsers are signed out of your account immediately, including this one. API keys are not affected.'
          : 'All other browsers are signed out of your account immediately. API keys are not affected.'}
      </p>
      <Failure error={error} />
      <DialogActions>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button variant="danger" busy={busy} onClick={end}>
          {here ? 'Sign out everywhere' : 'Sign out everywhere else'}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
