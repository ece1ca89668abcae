import './GenerateDialog.css';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from '../../../components/Dialog.tsx';
import { GenerateForm } from './GenerateForm.tsx';
import { LeaveConfirmation } from './LeaveConfirmation.tsx';
import { LostResponse } from './LostResponse.tsx';
import { NewKeyView } from './NewKeyView.tsx';
import { dropNewKey, markCopied, storeNewKey, useNewKey, useNewKeyDialog } from './new-key.ts';
import { RescueDialog } from './RescueDialog.tsx';
import { useCreateKey } from './use-create-key.ts';

/**
 * Asks for a name, creates the key and shows it once. Every way to leave the dialog (Escape, a click outside, Done,
 * Back, a link, a reload) passes the same guard.
 */
export function GenerateDialog({ onClose }: { onClose: () => void }) {
  const { created, copied } = useNewKey();
  const [asking, setAsking] = useState(false);
  const creation = useCreateKey((key) => storeNewKey(key, RescueDialog));
  const unsaved = created !== null && !copied;
  useNewKeyDialog();

  // The guard also applies while the request is running, because the key may already exist.
  useBlocker({
    disabled: !unsaved && !creation.busy,
    enableBeforeUnload: unsaved || creation.busy,
    shouldBlockFn: () => {
      if (unsaved) setAsking(true);
      return true;
    },
  });

  const close = () => {
    flushSync(dropNewKey);
    onClose();
  };
  const requestClose = () => {
    if (creation.busy) return;
    if (unsaved) setAsking(true);
    else close();
  };

  return (
    <>
      <Dialog
        title={titleOf(created !== null, creation.lostKeyId !== null)}
        lead={
          created ? (
            <span>
              <strong>This key will not be shown again.</strong> Soku stores only its fingerprint.
            </span>
          ) : null
        }
        size="wide"
        onCloseRequest={requestClose}
      >
        {created ? (
          <NewKeyView
            apiKey={created.apiKey}
            preview={created.key.preview}
            name={created.key.name}
            copied={copied}
            onCopied={markCopied}
            onDone={requestClose}
          />
        ) : null}
        {!created && creation.lostKeyId !== null ? (
          <LostResponse id={creation.lostKeyId} onCreateAnother={creation.startOver} onClose={close} />
        ) : null}
        {/* Stays mounted if the response is lost, so that another key can be created without typing again. */}
        <div hidden={created !== null || creation.lostKeyId !== null}>
          <GenerateForm creation={creation} onCancel={requestClose} />
        </div>
      </Dialog>
      {asking && unsaved ? <LeaveConfirmation onStay={() => setAsking(false)} onLeave={close} /> : null}
    </>
  );
}

function titleOf(created: boolean, lost: boolean): string {
  if (created) return 'Copy your key now';
  return lost ? 'The response was lost' : 'Generate a new key';
}
