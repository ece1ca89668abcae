import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import { KeyField } from './KeyField.tsx';
import { LeaveQuestion } from './LeaveQuestion.tsx';
import { dropNewKey, markCopied, useNewKey } from './new-key.ts';

/** Shows the new key when the dialog that did has failed, or the whole page. It stands above both. */
export function RescuedKey() {
  const { created, copied, inDialog } = useNewKey();
  useDropOnPageHide();
  return created && !inDialog ? (
    <Rescue apiKey={created.apiKey} name={created.key.name} copied={copied} />
  ) : null;
}

function Rescue({ apiKey, name, copied }: { apiKey: string; name: string; copied: boolean }) {
  const [asking, setAsking] = useState(false);
  const drop = () => flushSync(dropNewKey);
  const requestClose = () => (copied ? drop() : setAsking(true));
  useAskBeforeUnload(!copied);
  return (
    <>
      <Dialog title="Copy your key now" size="wide" onCloseRequest={requestClose}>
        <div className="form">
          <p>The key was created, but a part of this page failed. You will not see the key again.</p>
          <KeyField apiKey={apiKey} name={name} copied={copied} onCopied={markCopied} />
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

/** A page that the browser keeps for Back and Forward would come back with the key on it. */
function useDropOnPageHide(): void {
  useEffect(() => {
    const drop = () => flushSync(dropNewKey);
    window.addEventListener('pagehide', drop);
    return () => window.removeEventListener('pagehide', drop);
  }, []);
}

function useAskBeforeUnload(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [wanted]);
}
