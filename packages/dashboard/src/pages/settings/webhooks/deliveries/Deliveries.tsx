import type { Delivery, Webhook } from '@soku/contract/webhooks';
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Send } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { sendTestEvent } from '../../../../api/change-webhooks.ts';
import { deliveriesOptions, webhooksOptions } from '../../../../api/webhooks.ts';
import { Button } from '../../../../components/Button.tsx';
import { EmptyState } from '../../../../components/EmptyState.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { ListFoot } from '../../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../../components/LoadFailed.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Segments } from '../../../../components/Segments.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { isPanelInAddress } from '../../../../components/use-panel.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { isWebhookOpen } from '../is-webhook-open.ts';
import { DeliveriesTable, DeliveriesTableSkeleton } from './DeliveriesTable.tsx';
import { useRedeliver } from './use-redeliver.ts';

type Filter = 'all' | 'failed';

const filters = [
  { value: 'all' as const, name: 'All' },
  { value: 'failed' as const, name: 'Failed' },
];

interface DeliveriesProps {
  webhook: Webhook;
  status: 'failed' | undefined;
}

/** The log of what was sent to a webhook. */
export function Deliveries({ webhook, status }: DeliveriesProps) {
  const navigate = useNavigate();
  const list = useInfiniteQuery({
    ...deliveriesOptions(webhook.id, status),
    placeholderData: keepPreviousData,
  });
  const deliveries = deliveriesOf(list.data?.pages ?? []);
  const show = (filter: Filter) =>
    navigate({
      to: '/settings/webhooks/$webhookId',
      params: { webhookId: webhook.id },
      search: filter === 'all' ? {} : { status: filter },
      replace: true,
      resetScroll: false,
    });
  useFreshStatus(list.data && deliveries);
  const redeliver = useRedeliver(webhook, deliveries, status);
  const test = useTest(webhook, () => show('all'));

  return (
    <div className="deliveries-section">
      <Section
        title="Deliveries"
        lead="Failed attempts are retried for three days. Deliveries are kept for 30 days after the last attempt."
        action={
          <Button variant="primary" icon={Send} busy={test.busy} onClick={test.run}>
            Send test event
          </Button>
        }
      >
        <Failure error={test.error} />
        <div className="deliveries-filter">
          <Segments
            label="Show"
            isLabelHidden
            choices={filters}
            chosen={status ?? 'all'}
            onChoose={(filter) => void show(filter)}
          />
        </div>
        {list.isPending && !list.error ? <DeliveriesTableSkeleton /> : null}
        {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
        {deliveries.length > 0 ? (
          <DeliveriesTable
            webhook={webhook}
            deliveries={deliveries}
            stale={list.isPlaceholderData}
            onRedeliver={redeliver}
          />
        ) : null}
        {list.data && deliveries.length === 0 ? <NoDeliveries status={status} /> : null}
      </Section>
      <ListFoot
        list={list}
        shown={deliveries.length}
        size={countDeliveries(deliveries.length, list.hasNextPage)}
        rows=".deliveries .row-toggle"
      />
    </div>
  );
}

function useTest({ id, disabledAt }: Webhook, showAll: () => unknown) {
  const client = useQueryClient();
  return useCall(
    async () => {
      await withSignIn(() => sendTestEvent(id));
      announce(
        disabledAt === null
          ? 'Test event queued. Its delivery is listed below.'
          : 'Test event queued. It is sent when you enable the webhook.',
      );
      // The user may have left the page, or opened a dialog, which this would close.
      if (isWebhookOpen(id) && !isPanelInAddress()) await showAll();
      await client.invalidateQueries({ queryKey: ['webhooks', 'deliveries', id] });
    },
    { repeatable: true },
  );
}

/**
 * The state of the webhook follows from its attempts, so it is requested again after each of them.
 *
 * @param deliveries undefined while they are loading
 */
function useFreshStatus(deliveries: readonly Delivery[] | undefined): void {
  const client = useQueryClient();
  const attempts = deliveries?.flatMap(({ lastAttempt }) => lastAttempt?.at ?? []).sort();
  const last = attempts && (attempts.at(-1) ?? '');
  const known = useRef<string>(undefined);
  useEffect(() => {
    if (last === known.current || last === undefined) return;
    if (known.current !== undefined) void client.invalidateQueries({ queryKey: webhooksOptions.queryKey });
    known.current = last;
  }, [client, last]);
}

function NoDeliveries({ status }: { status: 'failed' | undefined }) {
  if (status === 'failed') {
    return (
      <EmptyState title="No failed deliveries">
        <p key="failed">Deliveries that are still being retried are under All.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No deliveries yet">
      <p key="all">The next event appears here. Send a test event to check the receiver now.</p>
    </EmptyState>
  );
}

/** Removes duplicates: if deliveries are added while pages are loading, one can be on two pages. */
function deliveriesOf(pages: Array<{ data: Delivery[] }>): Delivery[] {
  return [...new Map(pages.flatMap(({ data }) => data).map((delivery) => [delivery.id, delivery])).values()];
}

function countDeliveries(shown: number, more: boolean): string {
  if (shown === 0) return 'No deliveries';
  const count = shown === 1 ? '1 delivery' : `${formatNumber(shown)} deliveries`;
  return more ? `Newest ${count}` : count;
}
