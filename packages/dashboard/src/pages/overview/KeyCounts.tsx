import type { KeyList, StatusFilter } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Skeleton } from '../../components/Skeleton.tsx';

const shown = [
  { status: 'active', label: 'Active keys' },
  { status: 'expired', label: 'Expired' },
  { status: 'revoked', label: 'Revoked' },
] satisfies Array<{ status: StatusFilter; label: string }>;

export function KeyCounts({ counts }: { counts: KeyList['counts'] }) {
  return (
    <ul className="counts" aria-label="Keys by status">
      {shown.map(({ status, label }) => (
        <li key={status}>
          <Link to="/settings/api" search={status === 'active' ? {} : { status }} className="counts__count">
            <span className="counts__word">{label}</span>
            <span className="counts__number">
              {counts ? counts[status].toLocaleString('en') : <Skeleton width="short" />}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
