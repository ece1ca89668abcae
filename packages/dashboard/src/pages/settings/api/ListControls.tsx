import './ListControls.css';
import type { KeyList, StatusFilter } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import type { ListFilter } from '../../../api/keys.ts';
import { SearchKeys } from './SearchKeys.tsx';

const statuses: Array<{ status: StatusFilter; label: string }> = [
  { status: 'active', label: 'Active' },
  { status: 'revoked', label: 'Revoked' },
  { status: 'expired', label: 'Expired' },
  { status: 'all', label: 'All' },
];

export function ListControls({ filter, counts }: { filter: ListFilter; counts: KeyList['counts'] }) {
  return (
    <div className="list-controls">
      <nav className="filter" aria-label="Status">
        {statuses.map(({ status, label }) => (
          <Link
            key={status}
            from="/settings/api"
            to="."
            search={(search) => ({
              ...(search.q ? { q: search.q } : {}),
              ...(status === 'active' ? {} : { status }),
            })}
            className={`filter__choice ${filter.status === status ? 'filter__choice--current' : ''}`}
            activeOptions={{ exact: true, includeSearch: true }}
            resetScroll={false}
          >
            <span>{label}</span>
            <span className="filter__count">{counts ? counts[status].toLocaleString('en') : ''}</span>
          </Link>
        ))}
      </nav>
      <SearchKeys filter={filter} found={counts?.all} />
    </div>
  );
}
