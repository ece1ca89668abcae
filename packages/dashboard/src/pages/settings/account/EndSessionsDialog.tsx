import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { browserSessionsOptions, endAllSessions, endOtherSessions } from '../../../api/account.ts';
import { tellOtherTabs } from '../../../api/channel.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

/** `here`: whether this browser's session ends, too. */
export function EndSessionsDialog({ here, onClose }: { here: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const leave = async () => {
    tellOtherTabs('signed-out');
    client.clear();
    await router.navigate({ to: '/login', replace: true });
  };

  const end = async () => {
    setBusy(true);
    setError(null);
    try {
      await withSignIn(here ? endAllSessions : endOtherSessions);
      if (here) return await leave();
      onClose();
      announce('Every other session is ended.');
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
          ? 'Every browser that is signed in to this account is signed out at once, this one too. API keys are not touched.'
          : 'Every other browser that is signed in to this account is signed out at once. This one stays. API keys are not touched.'}
      </p>
      <Failure error={error} />
      <DialogActions>
        <Button data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" busy={busy} onClick={end}>
          {here ? 'Sign out everywhere' : 'Sign out everywhere else'}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
