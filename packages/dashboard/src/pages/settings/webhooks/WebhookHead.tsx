import { disableWebhookAfterMs, type Webhook } from '@soku/contract/webhooks';
import { Link } from '@tanstack/react-router';
import { Pause, Pencil, Play, RefreshCw } from 'lucide-react';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { Notice } from '../../../components/Notice.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { ExactTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { nameOf } from './names.ts';
import { WebhookStatus } from './WebhookStatus.tsx';

interface WebhookHeadProps {
  /** Undefined while it is loading, or if it is missing. */
  webhook: Webhook | undefined;
  isNotFound: boolean;
}

/** The name and state of a webhook, and what can be done with it. */
export function WebhookHead({ webhook, isNotFound }: WebhookHeadProps) {
  return (
    <div className="webhook-head">
      <Heading webhook={webhook} isNotFound={isNotFound} />
      {webhook ? <StateNotice webhook={webhook} /> : null}
    </div>
  );
}

/** Renders the same heading element before and after loading, because a new element would lose the focus. */
function Heading({ webhook, isNotFound }: WebhookHeadProps) {
  if (webhook) {
    return (
      <PageHead
        title={nameOf(webhook)}
        isName
        tabTitle={`${nameOf(webhook)}, webhook`}
        badge={<WebhookStatus webhook={webhook} />}
        action={<WebhookActions webhook={webhook} />}
      >
        <code translate="no">{webhook.url}</code>
      </PageHead>
    );
  }
  if (!isNotFound) {
    return (
      <PageHead title="Webhook" action={<div className="page-head__actions" />}>
        <Skeleton width="long" />
      </PageHead>
    );
  }
  return (
    <PageHead
      title="Webhook not found"
      action={
        <div className="page-head__actions">
          <Link to="/settings/webhooks" className={buttonClass('secondary')}>
            All webhooks
          </Link>
        </div>
      }
    >
      It may have been deleted, or belong to another workspace.
    </PageHead>
  );
}

function WebhookActions({ webhook: { disabledAt } }: { webhook: Webhook }) {
  const { openPanel } = usePanel();
  const isDisabled = disabledAt !== null;
  return (
    <div className="page-head__actions">
      <Button icon={Pencil} onClick={() => openPanel('edit')}>
        Edit
      </Button>
      <Button icon={isDisabled ? Play : Pause} onClick={() => openPanel('disable')}>
        {isDisabled ? 'Enable' : 'Disable'}
      </Button>
      <Button icon={RefreshCw} onClick={() => openPanel('rotate')}>
        Rotate secret
      </Button>
      <Button variant="secondary-danger" onClick={() => openPanel('remove')}>
        Delete
      </Button>
    </div>
  );
}

/** What a state other than active means. */
function StateNotice({ webhook: { disabledReason, disabledAt, failingSince } }: { webhook: Webhook }) {
  if (disabledReason === 'failing') {
    return (
      <Notice tone="bad">
        <p key="failing">
          The server disabled this webhook on <ExactTime at={disabledAt ?? ''} />, because all attempts failed
          for three days or the receiver responded with 410.
        </p>
        <p>Its events wait. Fix the receiver, then enable the webhook to send them.</p>
      </Notice>
    );
  }
  if (disabledReason === 'person') {
    return (
      <Notice tone="warn">
        <p key="person">
          Disabled on <ExactTime at={disabledAt ?? ''} />. Its events wait until you enable it.
        </p>
      </Notice>
    );
  }
  if (failingSince === null) return null;
  return (
    <Notice tone="warn">
      <p key="since">
        All attempts have failed since <ExactTime at={failingSince} />. If none succeeds by{' '}
        <ExactTime at={new Date(Date.parse(failingSince) + disableWebhookAfterMs).toISOString()} />, the
        webhook is disabled.
      </p>
    </Notice>
  );
}
