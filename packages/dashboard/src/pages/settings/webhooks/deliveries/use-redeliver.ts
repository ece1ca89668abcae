import type { Delivery, Webhook } from '@soku/contract/webhooks';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { redeliver } from '../../../../api/change-webhooks.ts';
import { announce } from '../../../../components/Toast.tsx';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { focusRow } from '../../api/use-after-revoke.ts';

/**
 * Sends an event again. It then no longer counts as failed, so its row may disappear with the button that had the focus,
 * which moves to the next row, or to the heading.
 *
 * @param status the filter. With another one, a row is missing for another reason, and the focus stays
 */
export function useRedeliver(
  { id, disabledAt }: Webhook,
  deliveries: readonly Delivery[],
  status: Delivery['status'] | undefined,
) {
  const client = useQueryClient();
  const sent = useRef<{ id: string; next: string | undefined; status: typeof status } | null>(null);
  useEffect(() => {
    const last = sent.current;
    if (last === null) return;
    if (last.status !== status) sent.current = null;
    else if (!deliveries.some((delivery) => delivery.id === last.id)) {
      sent.current = null;
      if (document.activeElement === document.body) focusRow(last.next);
    }
  }, [deliveries, status]);
  return async (deliveryId: string) => {
    await withSignIn(() => redeliver(id, deliveryId));
    const index = deliveries.findIndex((delivery) => delivery.id === deliveryId);
    sent.current = { id: deliveryId, next: (deliveries[index + 1] ?? deliveries[index - 1])?.id, status };
    announce(
      disabledAt === null
        ? 'Queued again. It is sent in a moment.'
        : 'Queued again. It is sent when you enable the webhook.',
    );
    await client.invalidateQueries({ queryKey: ['webhooks', 'deliveries', id] });
  };
}
