import type { Webhook } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { changeWebhook, updateCachedWebhook } from '../../../api/change-webhooks.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { WebhookForm } from './WebhookForm.tsx';

/** Changes the URL, the description and the events of a webhook. */
export function EditWebhookDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Dialog title="Edit webhook" size="wide" onCloseRequest={onClose}>
      <WebhookForm
        webhook={webhook}
        onSubmit={async (input) => {
          updateCachedWebhook(client, await withSignIn(() => changeWebhook(webhook.id, input)));
          announce('Saved. The next request uses it.');
          onClose();
        }}
        onCancel={onClose}
        submitText="Save"
      />
    </Dialog>
  );
}
