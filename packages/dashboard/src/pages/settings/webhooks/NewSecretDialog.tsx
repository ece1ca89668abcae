import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from '../../../components/Dialog.tsx';
import type { Elements } from '../../../components/elements.ts';
import { useDropOnPageHide } from '../../../components/use-drop-on-page-hide.ts';
import { LeaveConfirmation } from '../api/LeaveConfirmation.tsx';
import { NewSecretView } from './NewSecretView.tsx';
import type { NewSigningSecret } from './use-signing-secret.ts';

interface NewSecretDialogProps {
  title: string;
  newSecret: NewSigningSecret;
  /** Asks what to create. */
  form: (close: () => void) => Elements;
  /** A sentence about the new secret. */
  lead: string;
  /** How to get another one, if the user leaves without copying it. */
  remedy: string;
  /** @param webhookId the webhook whose secret was shown, if any */
  onClose: (webhookId: string | undefined) => void;
}

/**
 * Asks what to create, and then shows the signing secret once. Every way to leave the dialog (Escape, a click outside,
 * Done, Back, a link, a reload) passes the same guard, like that of a new key.
 */
export function NewSecretDialog({ title, newSecret, form, lead, remedy, onClose }: NewSecretDialogProps) {
  const [asking, setAsking] = useState(false);
  const { stage, read, markCopied, drop } = newSecret;
  const created = read();
  const isUnsaved = created !== null && stage === 'shown';

  // The guard also applies while the request is running, because the secret may already exist.
  const isGuarded = isUnsaved || stage === 'busy';
  useBlocker({
    disabled: !isGuarded,
    enableBeforeUnload: isGuarded,
    shouldBlockFn: () => {
      if (isUnsaved) setAsking(true);
      return true;
    },
  });

  useDropOnPageHide(() => {
    if (created === null) return;
    drop('form');
    setAsking(false);
  });

  const close = () => {
    // Removes the secret from the page now: the page that follows may first have to load its code.
    flushSync(() => {
      drop('dropped');
      setAsking(false);
    });
    onClose(created?.webhook.id);
  };
  const requestClose = () => {
    if (stage === 'busy') return;
    if (isUnsaved) setAsking(true);
    else close();
  };

  if (stage === 'dropped') return null;
  return (
    <>
      <Dialog
        title={created ? 'Copy the signing secret now' : title}
        lead={
          created ? (
            <span>
              <strong>This secret will not be shown again.</strong> <span>{lead}</span>
            </span>
          ) : null
        }
        size="wide"
        onCloseRequest={requestClose}
      >
        {created ? (
          <NewSecretView
            created={created}
            copied={stage === 'copied'}
            onCopied={markCopied}
            onDone={requestClose}
          />
        ) : (
          <div>{form(requestClose)}</div>
        )}
      </Dialog>
      {asking && isUnsaved ? (
        <LeaveConfirmation what="secret" remedy={remedy} onStay={() => setAsking(false)} onLeave={close} />
      ) : null}
    </>
  );
}
