import type { KeyList, StatusFilter } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Skeleton } from '../../components/Skeleton.tsx';

const shown = [
  { status: 'active', word: 'Active keys' },
  { status: 'expired', word: 'Expired' },
  { status: 'revoked', word: 'Revoked' },
] satisfies Array<{ status: StatusFilter; word: string }>;

export function KeyCounts({ counts }: { counts: KeyList['counts'] }) {
  return (
    <ul className="counts" aria-label="Keys by status">
      {shown.map(({ status, word }) => (
        <li key={status}>
          <Link to="/settings/api" search={status === 'active' ? {} : { status }} className="counts__count">
            <span className="counts__word">{word}</span>
            <span className="counts__number">
              {counts ? counts[status].toLocaleString('en') : <Skeleton width="short" />}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
