import { msPerHour } from '@soku/contract/instant';
import type { Usage } from '@soku/contract/usage';
import { formatNumber } from '../../../../components/format-number.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';

export function Totals({ usage, revokedAt }: { usage: Usage | undefined; revokedAt: string | null }) {
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

/** Rejections are counted by hour, so the whole hour of the revoke is included. */
function sinceRevoked({ hours, refused }: Usage, revokedAt: number): string {
  const since = hours
    .filter(({ hour }) => Date.parse(hour) + msPerHour > revokedAt)
    .reduce((sum, hour) => sum + hour.refused, 0);
  if (since === 0) return '';
  return since === refused
    ? ' since it was revoked'
    : `, ${formatNumber(since)} of them since it was revoked`;
}
