import './GenerateDialog.css';
import type { Key } from '@soku/server/key-schemas';
import { useBlocker } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from '../../../components/Dialog.tsx';
import { GenerateForm } from './GenerateForm.tsx';
import { LeaveQuestion } from './LeaveQuestion.tsx';
import { LostAnswer } from './LostAnswer.tsx';
import { ShownOnce } from './ShownOnce.tsx';
import { useCreateKey } from './use-create-key.ts';

/**
 * Asks for a name, makes the key, and shows it once. The full key lives in this component's state and nowhere else,
 * and every way out of the dialog (Escape, a click outside, Done, Back, a link, a reload) passes the same guard.
 */
export function GenerateDialog({ onClose }: { onClose: () => void }) {
  const [secret, setSecret] = useState<{ apiKey: string; key: Key } | null>(null);
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);
  const creation = useCreateKey(setSecret);
  const unsaved = secret !== null && !copied;

  // While the call is on its way nobody may leave either: the key may already exist.
  useBlocker({
    disabled: !unsaved && !creation.busy,
    enableBeforeUnload: unsaved || creation.busy,
    shouldBlockFn: () => {
      if (unsaved) setAsking(true);
      return true;
    },
  });
  useDropOnPageHide(() => setSecret(null));

  const close = () => {
    flushSync(() => setSecret(null));
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
        title={titleOf(secret !== null, creation.lostKeyId !== null)}
        size={secret ? 'wide' : 'narrow'}
        onCloseRequest={requestClose}
      >
        {secret ? (
          <ShownOnce
            apiKey={secret.apiKey}
            preview={secret.key.preview}
            name={secret.key.name}
            onCopied={() => setCopied(true)}
            onDone={requestClose}
          />
        ) : null}
        {!secret && creation.lostKeyId !== null ? (
          <LostAnswer id={creation.lostKeyId} onMakeAnother={creation.startOver} onClose={close} />
        ) : null}
        {/* Stays while the answer is lost, so that making another needs no typing. */}
        <div hidden={secret !== null || creation.lostKeyId !== null}>
          <GenerateForm creation={creation} onCancel={requestClose} />
        </div>
      </Dialog>
      {asking && unsaved ? <LeaveQuestion onStay={() => setAsking(false)} onLeave={close} /> : null}
    </>
  );
}

function titleOf(made: boolean, lost: boolean): string {
  if (made) return 'Copy your key now';
  return lost ? 'The answer was lost' : 'Generate a new key';
}

/** A page that the browser keeps for Back and Forward would come back with the key on it. */
function useDropOnPageHide(drop: () => void): void {
  useEffect(() => {
    const onHide = () => flushSync(drop);
    window.addEventListener('pagehide', onHide);
    return () => window.removeEventListener('pagehide', onHide);
  });
}
