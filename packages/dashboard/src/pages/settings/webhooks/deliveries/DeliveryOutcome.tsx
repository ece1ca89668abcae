import type { Delivery } from '@soku/contract/webhooks';
import { CircleAlert, RotateCw } from 'lucide-react';
import { Badge } from '../../../../components/Badge.tsx';
import { formatNumber } from '../../../../components/format-number.ts';

/** What became of a delivery, and what its last attempt led to. */
export function DeliveryOutcome({ delivery, isDisabled }: { delivery: Delivery; isDisabled: boolean }) {
  return (
    <>
      <State delivery={delivery} isDisabled={isDisabled} />
      {delivery.lastAttempt ? (
        <span className="table__more">{describeAttempt(delivery.lastAttempt)}</span>
      ) : null}
    </>
  );
}

function State({
  delivery: { status, lastAttempt },
  isDisabled,
}: {
  delivery: Delivery;
  isDisabled: boolean;
}) {
  if (status === 'succeeded') return <span className="delivery__state delivery__state--good">Delivered</span>;
  if (status === 'failed') {
    return (
      <Badge icon={CircleAlert} tone="bad">
        Failed
      </Badge>
    );
  }
  if (isDisabled) return <span className="delivery__state">Waiting</span>;
  if (lastAttempt === null) return <span className="delivery__state">Sending</span>;
  return (
    <Badge icon={RotateCw} tone="warn">
      Will be retried
    </Badge>
  );
}

/** "204 in 32 ms" or "No response" */
function describeAttempt({ status, durationMs }: NonNullable<Delivery['lastAttempt']>): string {
  return status === null ? 'No response' : `${status} in ${formatNumber(durationMs)} ms`;
}
