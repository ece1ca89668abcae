import './WebhookPage.css';
import type { Webhook } from '@soku/contract/webhooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { webhooksOptions } from '../../../api/webhooks.ts';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { Breadcrumbs } from '../Breadcrumbs.tsx';
import { DeleteWebhookDialog } from './DeleteWebhookDialog.tsx';
import { DisableWebhookDialog } from './DisableWebhookDialog.tsx';
import { Deliveries } from './deliveries/Deliveries.tsx';
import { EditWebhookDialog } from './EditWebhookDialog.tsx';
import { nameOf } from './names.ts';
import { RotateSecretDialog } from './RotateSecretDialog.tsx';
import { WebhookFacts } from './WebhookFacts.tsx';
import { WebhookHead } from './WebhookHead.tsx';

const route = getRouteApi('/shell/signed-in/settings/webhooks/$webhookId');

export function WebhookPage() {
  const { webhookId } = route.useParams();
  const { status } = route.useSearch();
  const { data: webhooks, error, isLoadingError, refetch } = useQuery(webhooksOptions);
  const webhook = webhooks?.find(({ id }) => id === webhookId);
  const isNotFound = webhooks !== undefined && webhook === undefined;
  return (
    <>
      <Breadcrumbs list="webhooks" page={<bdi translate="no">{webhook ? nameOf(webhook) : 'Webhook'}</bdi>} />
      <WebhookHead webhook={webhook} isNotFound={isNotFound} />
      {isLoadingError ? <LoadFailed error={error} onRetry={refetch} /> : null}
      {isLoadingError || isNotFound ? null : <WebhookFacts webhook={webhook} />}
      {webhook ? <Deliveries key={webhook.id} webhook={webhook} status={status} /> : null}
      {webhook ? <WebhookDialogs webhook={webhook} /> : null}
    </>
  );
}

/** The dialog that the URL names, if any. */
function WebhookDialogs({ webhook }: { webhook: Webhook }) {
  const { panel } = route.useSearch();
  const { closePanel } = usePanel();
  const shared = { webhook, onClose: closePanel };
  if (panel === 'edit') return <EditWebhookDialog {...shared} />;
  if (panel === 'disable') return <DisableWebhookDialog {...shared} />;
  if (panel === 'rotate') return <RotateSecretDialog {...shared} />;
  return panel === 'remove' ? <DeleteWebhookDialog {...shared} /> : null;
}
