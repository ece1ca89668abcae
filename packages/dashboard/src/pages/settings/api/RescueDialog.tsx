import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { KeyField } from './KeyField.tsx';
import { LeaveConfirmation } from './LeaveConfirmation.tsx';
import { dropNewKey, markCopied, useNewKey } from './new-key.ts';
import { nameOfNew, resultOf, titleOfNew } from './new-key-texts.ts';

/**
 * Shows the new key if the dialog that shows it has failed. Every page contains RescuedKey, but only the code that
 * creates keys contains this dialog, so that it is loaded before there is a key to show.
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
      <Dialog
        title={titleOfNew(created.key)}
        lead={
          <span>{`${resultOf(created.key)}, but part of this page failed. The ${nameOfNew(created.key)} will not be shown again.`}</span>
        }
        size="wide"
        onCloseRequest={requestClose}
      >
        <div className="form">
          <KeyField
            apiKey={created.apiKey}
            what={nameOfNew(created.key)}
            preview={created.key.preview}
            name={created.key.name}
            copied={copied}
            onCopied={markCopied}
          />
          <DialogActions>
            <Button variant={copied ? 'primary' : 'secondary'} onClick={requestClose}>
              Done
            </Button>
          </DialogActions>
        </div>
      </Dialog>
      {asking && !copied ? (
        <LeaveConfirmation
          what={nameOfNew(created.key)}
          remedy="If you close now, you will have to create or rotate it again."
          onStay={() => setAsking(false)}
          onLeave={drop}
        />
      ) : null}
    </>
  );
}

function useAskBeforeUnload(enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [enabled]);
}
