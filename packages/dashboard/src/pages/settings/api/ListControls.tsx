import './ListControls.css';
import type { KeyList, StatusFilter } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import type { ListFilter } from '../../../api/keys.ts';
import { SearchKeys } from './SearchKeys.tsx';

const statuses: Array<{ status: StatusFilter; word: string }> = [
  { status: 'active', word: 'Active' },
  { status: 'revoked', word: 'Revoked' },
  { status: 'expired', word: 'Expired' },
  { status: 'all', word: 'All' },
];

export function ListControls({ filter, counts }: { filter: ListFilter; counts: KeyList['counts'] }) {
  return (
    <div className="list-controls">
      <nav className="filter" aria-label="Status">
        {statuses.map(({ status, word }) => (
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
            <span>{word}</span>
            <span className="filter__count">{counts ? counts[status].toLocaleString('en') : ''}</span>
          </Link>
        ))}
      </nav>
      <SearchKeys filter={filter} found={counts?.all} />
    </div>
  );
}
