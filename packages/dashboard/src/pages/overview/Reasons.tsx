import type { UsageDay } from '@soku/contract/usage';
import { formatNumber } from '../../components/format-number.ts';
import { ReasonName } from './ReasonName.tsx';
import { reasonsOf } from './reasons.ts';

/** How many fit on one line. */
const shown = 5;

/** The rejected requests of today by reason. */
export function Reasons({ today }: { today: UsageDay }) {
  const reasons = reasonsOf(today.refusedBy).slice(0, shown);
  return (
    <dl className="why">
      <div>
        <dt>Rejected</dt>
        <dd className={today.refused > 0 ? 'why__all' : undefined}>{formatNumber(today.refused)}</dd>
      </div>
      {reasons.map((reason) => (
        <div key={reason.name}>
          <dt>
            <ReasonName reason={reason} />
          </dt>
          <dd>{formatNumber(reason.count)}</dd>
        </div>
      ))}
    </dl>
  );
}
