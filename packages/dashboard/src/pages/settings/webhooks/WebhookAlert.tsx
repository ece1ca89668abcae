import type { Webhook } from '@soku/contract/webhooks';
import { Button, type ButtonVariant } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';
import type { Elements } from '../../../components/elements.ts';
import { Failure } from '../../../components/Notice.tsx';
import type { useCall } from '../../../components/use-call.ts';

interface WebhookAlertProps {
  title: string;
  webhook: Webhook;
  /** What the button says. */
  submit: string;
  variant: ButtonVariant;
  call: ReturnType<typeof useCall>;
  onClose: () => void;
  /** The consequence. */
  children: Elements;
}

/** Asks before something is done to a webhook. */
export function WebhookAlert({
  title,
  webhook,
  submit,
  variant,
  call,
  onClose,
  children,
}: WebhookAlertProps) {
  const { busy, error, run } = call;
  const requestClose = () => {
    if (!busy) onClose();
  };
  return (
    <Dialog title={title} role="alertdialog" onCloseRequest={requestClose}>
      <div className="form">
        <div className="webhook-summary">
          {webhook.description === '' ? null : <strong translate="no">{webhook.description}</strong>}
          <code translate="no">{webhook.url}</code>
        </div>
        {children}
        <Failure error={error} />
        <DialogActions>
          <Button data-autofocus onClick={requestClose}>
            Cancel
          </Button>
          <Button variant={variant} busy={busy} onClick={run}>
            {submit}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}
