import type { UsageDay } from '@soku/contract/usage';
import { Link } from '@tanstack/react-router';
import { formatNumber } from '../../components/format-number.ts';
import { reasonsOf } from './reasons.ts';

/** At most so many fit in a line. */
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
      {reasons.map(({ name, code, count }) => (
        <div key={name}>
          <dt>
            {code ? (
              <Link to="/help/api-troubleshooting" hash={code}>
                {name}
              </Link>
            ) : (
              <span>{name}</span>
            )}
          </dt>
          <dd>{formatNumber(count)}</dd>
        </div>
      ))}
    </dl>
  );
}
