import './NewKeyDialog.css';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from '../../../components/Dialog.tsx';
import type { Elements } from '../../../components/elements.ts';
import { LeaveConfirmation } from './LeaveConfirmation.tsx';
import { NewKeyView } from './NewKeyView.tsx';
import { dropNewKey, markCopied, useNewKey, useNewKeyDialog } from './new-key.ts';
import { nameOfNew, titleOfNew } from './new-key-texts.ts';
import type { KeyCreation } from './use-create-key.ts';

interface NewKeyDialogProps {
  title: string;
  creation: Pick<KeyCreation<never>, 'busy' | 'lostKeyId'>;
  /** Asks what to create. Stays mounted if the response is lost, so that its input is kept. */
  form: (close: () => void) => Elements;
  /** Shown if the response is lost. */
  lost: (id: string, close: () => void) => Elements;
  /** A sentence above the new key. */
  lead: string;
  /** How to get another one, if the user leaves without copying it. */
  remedy: string;
  onClose: () => void;
}

/**
 * Asks what to create, creates a key or a secret and shows it once. Every way to leave the dialog (Escape, a click
 * outside, Done, Back, a link, a reload) passes the same guard.
 */
export function NewKeyDialog({ title, creation, form, lost, lead, remedy, onClose }: NewKeyDialogProps) {
  const { created, copied } = useNewKey();
  const [asking, setAsking] = useState(false);
  const unsaved = created !== null && !copied;
  const { lostKeyId } = creation;
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

  const titleBefore = lostKeyId === null ? title : 'The response was lost';

  return (
    <>
      <Dialog
        title={created ? titleOfNew(created.key) : titleBefore}
        lead={
          created ? (
            <span>
              <strong>{`This ${nameOfNew(created.key)} will not be shown again.`}</strong> <span>{lead}</span>
            </span>
          ) : null
        }
        size="wide"
        onCloseRequest={requestClose}
      >
        {created ? (
          <NewKeyView
            apiKey={created.apiKey}
            what={nameOfNew(created.key)}
            preview={created.key.preview}
            name={created.key.name}
            copied={copied}
            onCopied={markCopied}
            onDone={requestClose}
          />
        ) : null}
        {!created && lostKeyId !== null ? <div key="lost">{lost(lostKeyId, close)}</div> : null}
        <div hidden={created !== null || lostKeyId !== null}>{form(requestClose)}</div>
      </Dialog>
      {asking && unsaved ? (
        <LeaveConfirmation
          what={nameOfNew(created.key)}
          remedy={remedy}
          onStay={() => setAsking(false)}
          onLeave={close}
        />
      ) : null}
    </>
  );
}
