import type { RefusedBy } from '@soku/contract/usage';
import { formatNumber } from '../../components/format-number.ts';
import { ReasonName } from './ReasonName.tsx';
import { reasonsOf } from './reasons.ts';

/** How many fit on one line. */
const shown = 5;

/** Rejected requests by reason. */
export function Reasons({ of }: { of: { refused: number; refusedBy: RefusedBy } }) {
  const reasons = reasonsOf(of.refusedBy).slice(0, shown);
  return (
    <dl className="day-reasons">
      <div>
        <dt>Rejected</dt>
        <dd className={of.refused > 0 ? 'day-reasons__all' : undefined}>{formatNumber(of.refused)}</dd>
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
