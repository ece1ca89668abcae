import '../../../../components/Table.css';
import './DeliveriesTable.css';
import type { Delivery, Webhook } from '@soku/contract/webhooks';
import { useId, useState } from 'react';
import { ColumnHeads } from '../../../../components/ColumnHeads.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { RelativeTime } from '../../../../components/RelativeTime.tsx';
import { RowToggle } from '../../../../components/RowToggle.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { UntrustedText } from '../../../../components/UntrustedText.tsx';
import { exactTime, formatDay, formatTime, utcTime } from '../../../../dates/dates.ts';
import { eventLabel } from '../names.ts';
import { DeliveryDetails } from './DeliveryDetails.tsx';
import { DeliveryOutcome } from './DeliveryOutcome.tsx';

const columns = ['Event', 'Time', 'Outcome', 'Attempts', 'Next attempt'];

interface DeliveriesTableProps {
  webhook: Webhook;
  deliveries: Delivery[];
  stale: boolean;
  onRedeliver: (id: string) => Promise<void>;
}

export function DeliveriesTable({ webhook, deliveries, stale, onRedeliver }: DeliveriesTableProps) {
  return (
    <div className="deliveries" aria-busy={stale}>
      <table className="table">
        <caption className="visually-hidden">Deliveries, newest first</caption>
        <ColumnHeads columns={columns} />
        {deliveries.map((delivery) => (
          <DeliveryRow
            key={delivery.id}
            delivery={delivery}
            isDisabled={webhook.disabledAt !== null}
            onRedeliver={() => onRedeliver(delivery.id)}
          />
        ))}
      </table>
    </div>
  );
}

interface DeliveryRowProps {
  delivery: Delivery;
  isDisabled: boolean;
  onRedeliver: () => Promise<void>;
}

/** A row, and below it, while it is expanded, a second row with the request and the response. */
function DeliveryRow({ delivery, isDisabled, onRedeliver }: DeliveryRowProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { type, createdAt, attempts } = delivery;
  return (
    <tbody className="delivery">
      <tr>
        <td className="delivery__event">
          <RowToggle
            text={eventLabel(type)}
            aria-label={`${eventLabel(type)}, ${formatDay(createdAt)}, ${formatTime(createdAt)}`}
            data-key={delivery.id}
            isOpen={isOpen}
            controls={id}
            onClick={() => setOpen(!isOpen)}
          />
          <code className="table__more" translate="no">
            <UntrustedText text={type} />
          </code>
        </td>
        <td className="delivery__time">
          <time dateTime={createdAt} title={`${exactTime(createdAt)}\n${utcTime(createdAt)}`}>
            <span>{formatDay(createdAt)}</span> <span className="table__more">{formatTime(createdAt)}</span>
          </time>
        </td>
        <td className="delivery__outcome">
          <DeliveryOutcome delivery={delivery} isDisabled={isDisabled} />
        </td>
        <td className="delivery__attempts">
          <span>{formatNumber(attempts)}</span>
          <span className="delivery__unit">{attempts === 1 ? ' attempt' : ' attempts'}</span>
        </td>
        <td className="delivery__next">
          <NextAttempt delivery={delivery} isDisabled={isDisabled} />
        </td>
      </tr>
      {isOpen ? (
        <tr id={id}>
          <td className="delivery__details" colSpan={columns.length}>
            <DeliveryDetails delivery={delivery} onRedeliver={onRedeliver} />
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

function NextAttempt({
  delivery: { nextAttemptAt },
  isDisabled,
}: {
  delivery: Delivery;
  isDisabled: boolean;
}) {
  if (nextAttemptAt === null) return <span className="delivery__none">None</span>;
  if (isDisabled) return <span>When enabled</span>;
  if (Date.parse(nextAttemptAt) <= Date.now()) return <span>Now</span>;
  return (
    <span>
      <span className="delivery__unit">Next attempt </span>
      <RelativeTime at={nextAttemptAt} />
    </span>
  );
}

const placeholders = ['a', 'b', 'c'];

export function DeliveriesTableSkeleton() {
  return (
    <div className="deliveries">
      <p className="visually-hidden" role="status">
        Loading deliveries
      </p>
      <table className="table" aria-hidden>
        <ColumnHeads columns={columns} />
        {placeholders.map((row) => (
          <tbody className="delivery" key={row}>
            <tr>
              {['event', 'time', 'outcome', 'attempts', 'next'].map((column) => (
                <td className={`delivery__${column}`} key={column}>
                  <Skeleton width="middle" />
                </td>
              ))}
            </tr>
          </tbody>
        ))}
      </table>
    </div>
  );
}
