import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { KeyField } from './KeyField.tsx';
import { LeaveQuestion } from './LeaveQuestion.tsx';
import { dropNewKey, markCopied, useNewKey } from './new-key.ts';

/**
 * Shows the new key in place of the dialog that failed. Every page holds RescuedKey, but only the code that creates keys
 * brings this with it, so that it is there before there is a key to show.
 */
export function RescueDialog() {
  const { created, copied } = useNewKey();
  const [asking, setAsking] = useState(false);
  const drop = () => flushSync(dropNewKey);
  const requestClose = () => (copied ? drop() : setAsking(true));
  useAskBeforeUnload(!copied);
  if (!created) return null;
  return (
    <>
      <Dialog title="Copy your key now" size="wide" onCloseRequest={requestClose}>
        <div className="form">
          <p>The key was created, but a part of this page failed. You will not see the key again.</p>
          <KeyField apiKey={created.apiKey} name={created.key.name} copied={copied} onCopied={markCopied} />
          <DialogActions>
            <Button look={copied ? 'primary' : 'secondary'} onClick={requestClose}>
              Done
            </Button>
          </DialogActions>
        </div>
      </Dialog>
      {asking && !copied ? <LeaveQuestion onStay={() => setAsking(false)} onLeave={drop} /> : null}
    </>
  );
}

function useAskBeforeUnload(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [wanted]);
}
