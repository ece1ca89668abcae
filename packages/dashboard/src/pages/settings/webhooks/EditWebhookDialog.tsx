import type { CreateWebhook, UpdateWebhook, Webhook } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { changeWebhook, updateCachedWebhook } from '../../../api/change-webhooks.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { useCloseAfterCall } from './use-close-after-call.ts';
import { WebhookForm } from './WebhookForm.tsx';

/** Changes the URL, the description and the events of a webhook. */
export function EditWebhookDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const client = useQueryClient();
  const closeAfterCall = useCloseAfterCall(onClose);
  // What the fields contained at first. Another tab or another person may change the webhook while the dialog is open.
  const [before] = useState(webhook);
  const isSaving = useRef(false);
  const save = async (input: CreateWebhook) => {
    const changes = changesOf(before, input);
    if (Object.keys(changes).length === 0) return onClose();
    isSaving.current = true;
    try {
      updateCachedWebhook(client, await withSignIn(() => changeWebhook(webhook.id, changes)));
    } finally {
      isSaving.current = false;
    }
    announce('Saved. The next request uses it.');
    closeAfterCall();
  };
  const requestClose = () => {
    if (!isSaving.current) onClose();
  };
  return (
    <Dialog title="Edit webhook" size="wide" onCloseRequest={requestClose}>
      <WebhookForm webhook={webhook} onSubmit={save} onCancel={requestClose} submitText="Save" />
    </Dialog>
  );
}

/**
 * Only the fields that the user changed: the others may have been changed elsewhere, and the server would check a URL
 * again that it has already accepted.
 */
function changesOf(before: Webhook, { url, description, events }: CreateWebhook): UpdateWebhook {
  return {
    ...(url === before.url ? {} : { url }),
    ...(description === before.description ? {} : { description }),
    ...(events.join() === before.events.join() ? {} : { events }),
  };
}
