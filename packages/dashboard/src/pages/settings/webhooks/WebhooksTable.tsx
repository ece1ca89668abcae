import '../../../components/Table.css';
import type { Webhook } from '@soku/contract/webhooks';
import { Link } from '@tanstack/react-router';
import { ColumnHeads } from '../../../components/ColumnHeads.tsx';
import { RelativeTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { eventLabel, inOfferedOrder, nameOf, receivesAll, summarizeEvents } from './names.ts';
import { WebhookStatus } from './WebhookStatus.tsx';

const columns = ['Webhook', 'Events', 'Status'];

export function WebhooksTable({ webhooks }: { webhooks: Webhook[] }) {
  return (
    <table className="table webhooks">
      <caption className="visually-hidden">Webhooks, oldest first</caption>
      <ColumnHeads columns={columns} />
      <tbody>
        {webhooks.map((webhook) => (
          <Row key={webhook.id} webhook={webhook} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ webhook }: { webhook: Webhook }) {
  const { id, url, events } = webhook;
  return (
    <tr>
      <td className="webhooks__name">
        <Link
          className="webhooks__link"
          to="/settings/webhooks/$webhookId"
          params={{ webhookId: id }}
          data-key={id}
          translate="no"
        >
          <bdi>{nameOf(webhook)}</bdi>
        </Link>
        <code className="table__more" translate="no">
          {url}
        </code>
      </td>
      <td
        className="webhooks__events"
        title={receivesAll(events) ? undefined : inOfferedOrder(events).map(eventLabel).join('\n')}
      >
        {summarizeEvents(events)}
      </td>
      <td className="webhooks__status">
        <WebhookStatus webhook={webhook} />
        <Since webhook={webhook} />
      </td>
    </tr>
  );
}

function Since({ webhook: { disabledAt, failingSince } }: { webhook: Webhook }) {
  const at = disabledAt ?? failingSince;
  if (at === null) return null;
  return (
    <span className="table__more webhooks__since">
      <span>{disabledAt === null ? 'First failure ' : ''}</span>
      <RelativeTime at={at} />
    </span>
  );
}

const placeholders = ['a', 'b', 'c'];

export function WebhooksTableSkeleton() {
  return (
    <div>
      <p className="visually-hidden" role="status">
        Loading webhooks
      </p>
      <table className="table webhooks" aria-hidden>
        <ColumnHeads columns={columns} />
        <tbody>
          {placeholders.map((row) => (
            <tr key={row}>
              <td className="webhooks__name">
                <Skeleton width="middle" />
                <span className="table__more">
                  <Skeleton width="long" />
                </span>
              </td>
              <td className="webhooks__events">
                <Skeleton width="short" />
              </td>
              <td className="webhooks__status">
                <Skeleton width="short" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
