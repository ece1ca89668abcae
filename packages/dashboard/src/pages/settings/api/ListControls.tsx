import './ListControls.css';
import type { KeyList, ListedKey, StatusFilter } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import type { ListFilter } from '../../../api/keys.ts';
import { formatBrief, formatNumber } from '../../../components/format-number.ts';
import { FilterBar } from './list/FilterBar.tsx';
import { SearchKeys } from './SearchKeys.tsx';

const statuses: Array<{ status: StatusFilter; label: string }> = [
  { status: 'active', label: 'Active' },
  { status: 'revoked', label: 'Revoked' },
  { status: 'expired', label: 'Expired' },
  { status: 'all', label: 'All' },
];

interface ListControlsProps {
  filter: ListFilter;
  counts: KeyList['counts'];
  rows: ListedKey[];
}

export function ListControls({ filter, counts, rows }: ListControlsProps) {
  return (
    <div className="list-controls">
      <nav className="filter" aria-label="Status">
        {statuses.map(({ status, label }) => (
          <Link
            key={status}
            from="/settings/api"
            to="."
            search={({ status: _status, hash: _hash, panel: _panel, key: _key, ...search }) => ({
              ...search,
              ...(status === 'active' ? {} : { status }),
            })}
            className={`filter__choice ${isCurrent(status, filter) ? 'filter__choice--current' : ''}`}
            activeOptions={{ exact: true, includeSearch: true }}
            resetScroll={false}
          >
            <span>{label}</span>
            <span className="filter__count" title={counts ? formatNumber(counts[status]) : undefined}>
              {counts ? formatBrief(counts[status]) : ''}
            </span>
          </Link>
        ))}
      </nav>
      <FilterBar filter={filter} rows={rows} />
      <SearchKeys filter={filter} found={counts?.all} />
    </div>
  );
}

/** The disabled keys are among the active ones. */
function isCurrent(status: StatusFilter, filter: ListFilter): boolean {
  return status === (filter.status === 'disabled' ? 'active' : filter.status);
}
