import type { UsageHistory } from '@soku/contract/usage-history';
import { formatNumber } from '../../../../components/format-number.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';

interface TotalsProps {
  /** Undefined while loading. */
  usage: UsageHistory | undefined;
  revokedAt?: string | null;
}

export function Totals({ usage, revokedAt = null }: TotalsProps) {
  return (
    <dl className="totals">
      <Total kind="accepted" name="Accepted" count={usage?.accepted} />
      <Total
        kind="refused"
        name={`Rejected${usage && revokedAt ? sinceRevoked(usage, Date.parse(revokedAt)) : ''}`}
        count={usage?.refused}
      />
    </dl>
  );
}

interface TotalProps {
  kind: 'accepted' | 'refused';
  name: string;
  count: number | undefined;
}

function Total({ kind, name, count }: TotalProps) {
  return (
    <div className="totals__total">
      <dt className={`totals__name totals__name--${kind}`}>{name}</dt>
      <dd className="totals__count">
        {count === undefined ? <Skeleton width="short" /> : formatNumber(count)}
      </dd>
    </div>
  );
}

/** Rejections are counted by hour or day, so the whole hour or day of the revoke is included. */
function sinceRevoked({ by, periods, refused }: UsageHistory, revokedAt: number): string {
  const since = periods
    .filter(({ to }) => Date.parse(to) > revokedAt)
    .reduce((sum, period) => sum + period.refused, 0);
  if (since === 0) return '';
  const when = by === 'hour' ? 'it was revoked' : 'the day it was revoked';
  return since === refused ? ` since ${when}` : `, ${formatNumber(since)} of them since ${when}`;
}
