import { useNavigate } from '@tanstack/react-router';
import { createWebhook } from '../../../api/change-webhooks.ts';
import { NewSecretDialog } from './NewSecretDialog.tsx';
import { useSigningSecret } from './use-signing-secret.ts';
import { WebhookForm } from './WebhookForm.tsx';

/** Adds a webhook, shows its signing secret once, and leads to its page. */
export function AddWebhookDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const newSecret = useSigningSecret(
    'The response was lost, so the webhook may exist. If it is in the list, rotate its signing secret.',
  );
  return (
    <NewSecretDialog
      title="Add webhook"
      newSecret={newSecret}
      lead="The receiver needs it to verify requests."
      remedy="If you close now, you will have to rotate it to get another one."
      form={(close) => (
        <WebhookForm
          onSubmit={(input) => newSecret.create(() => createWebhook(input))}
          onCancel={close}
          submitText="Add webhook"
        />
      )}
      onClose={(webhookId) => {
        if (webhookId === undefined) return onClose();
        // Replaces the address of the dialog, so that Back leads to the list.
        void navigate({
          to: '/settings/webhooks/$webhookId',
          params: { webhookId },
          replace: true,
          ignoreBlocker: true,
        });
      }}
    />
  );
}
