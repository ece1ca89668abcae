import type { Webhook } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeWebhook, updateCachedWebhook } from '../../../api/change-webhooks.ts';
import { announce } from '../../../components/Toast.tsx';
import { useCall } from '../../../components/use-call.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { useCloseAfterCall } from './use-close-after-call.ts';
import { WebhookAlert } from './WebhookAlert.tsx';

/** Disables a webhook, or enables one that is disabled. */
export function DisableWebhookDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const client = useQueryClient();
  const closeAfterCall = useCloseAfterCall(onClose);
  // The server, another tab or another person may change the webhook while the dialog is open. The button must not turn
  // into its opposite under the pointer.
  const [enables] = useState(webhook.disabledAt !== null);
  const call = useCall(async () => {
    updateCachedWebhook(client, await withSignIn(() => changeWebhook(webhook.id, { disabled: !enables })));
    announce(
      enables
        ? 'Enabled. Waiting events are being sent.'
        : 'Disabled. Events wait until you enable it again.',
    );
    closeAfterCall();
  });
  const verb = enables ? 'Enable' : 'Disable';
  return (
    <WebhookAlert
      title={`${verb} this webhook?`}
      webhook={webhook}
      submit={verb}
      variant="primary"
      call={call}
      onClose={onClose}
    >
      {enables ? (
        <p key="enable">
          Waiting events are sent immediately. To skip them, delete the webhook and add it again.
        </p>
      ) : (
        <p key="disable">Nothing is sent to it. Its events wait, and are sent when you enable it again.</p>
      )}
    </WebhookAlert>
  );
}
