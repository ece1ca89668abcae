import './WebhooksPage.css';
import type { Webhook } from '@soku/contract/webhooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { webhooksOptions } from '../../../api/webhooks.ts';
import { Button } from '../../../components/Button.tsx';
import { EmptyState } from '../../../components/EmptyState.tsx';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { AddWebhookDialog } from './AddWebhookDialog.tsx';
import { WebhooksTable, WebhooksTableSkeleton } from './WebhooksTable.tsx';

const route = getRouteApi('/shell/signed-in/settings/webhooks');

export function WebhooksPage() {
  const { panel } = route.useSearch();
  const { data: webhooks, error, isPending, isLoadingError, refetch } = useQuery(webhooksOptions);
  const { openPanel, closePanel } = usePanel();
  return (
    <>
      <PageHead
        title="Webhooks"
        action={
          <Button variant="primary" icon={Plus} onClick={() => openPanel('add')}>
            Add webhook
          </Button>
        }
      >
        <span>
          Each webhook sends the events of this workspace to a URL, as signed requests.{' '}
          <Link to="/docs" hash="group-Webhooks">
            API reference
          </Link>
        </span>
      </PageHead>
      {isPending ? <WebhooksTableSkeleton /> : null}
      {isLoadingError ? <LoadFailed error={error} onRetry={refetch} /> : null}
      {webhooks ? <Webhooks webhooks={webhooks} /> : null}
      {panel === 'add' ? <AddWebhookDialog onClose={closePanel} /> : null}
    </>
  );
}

function Webhooks({ webhooks }: { webhooks: Webhook[] }) {
  const { openPanel } = usePanel();
  if (webhooks.length > 0) return <WebhooksTable webhooks={webhooks} />;
  return (
    <EmptyState title="No webhooks yet">
      <p>
        A webhook calls your program about a second after something happens here: a key is created, revoked or
        reported as leaked, or a setting changes. Use it to post to a chat, open a ticket, or keep your own
        log.
      </p>
      <p>
        <span>Requests are signed as </span>
        <a href="https://www.standardwebhooks.com">Standard Webhooks</a>
        <span> defines, so its libraries verify them.</span>
      </p>
      <div className="empty__actions">
        <Button icon={Plus} onClick={() => openPanel('add')}>
          Add your first webhook
        </Button>
      </div>
    </EmptyState>
  );
}
