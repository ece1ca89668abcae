import type { Webhook } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { deleteWebhook, removeCachedWebhook } from '../../../api/change-webhooks.ts';
import { announce } from '../../../components/Toast.tsx';
import { useCall } from '../../../components/use-call.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { isWebhookOpen } from './is-webhook-open.ts';
import { nameOf } from './names.ts';
import { WebhookAlert } from './WebhookAlert.tsx';

export function DeleteWebhookDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const call = useCall(async () => {
    await withSignIn(() => deleteWebhook(webhook.id));
    // Leaves the page before its webhook is gone.
    if (isWebhookOpen(webhook.id)) await navigate({ to: '/settings/webhooks', replace: true });
    removeCachedWebhook(client, webhook.id);
    announce('Deleted.', nameOf(webhook));
  });
  return (
    <WebhookAlert
      title="Delete this webhook?"
      webhook={webhook}
      submit="Delete webhook"
      variant="danger"
      call={call}
      onClose={onClose}
    >
      <p>It receives no more events, and its deliveries are deleted. This cannot be undone.</p>
    </WebhookAlert>
  );
}
