import type { KeyList } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import type { ListFilter } from '../../../api/keys.ts';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { EmptyState } from '../../../components/EmptyState.tsx';
import { formatNumber } from '../../../components/format-number.ts';
import { useCreatorName } from './list/CreatorName.tsx';
import { namedFilters, withoutFilters } from './list/filters.ts';

interface EmptyListProps {
  filter: ListFilter;
  /** Counts of the keys that match the search and the filters; undefined while loading. */
  counts: KeyList['counts'];
  onGenerate: () => void;
}

export function EmptyList({ filter, counts, onGenerate }: EmptyListProps) {
  const anyKeys = counts?.all !== 0;
  if (filter.hash !== '') return <KeyNotFound />;
  if (filter.q !== '' || namedFilters(filter).length > 0)
    return <NothingFound filter={filter} otherMatches={counts?.all} />;
  if (anyKeys && filter.status !== 'active') return <NoneWithStatus status={filter.status} />;
  return (
    <EmptyState ofKeys title={anyKeys ? 'No active keys' : 'No keys yet'}>
      <p>
        A key lets a program call your API on behalf of your workspace. Create one for each program, and name
        it after where it runs.
      </p>
      <div className="empty__actions">
        <Button variant="secondary" icon={Plus} onClick={onGenerate}>
          {anyKeys ? 'Create a key' : 'Create your first key'}
        </Button>
        <Link to="/help/authentication" className={buttonClass('quiet')}>
          How to use a key
        </Link>
      </div>
    </EmptyState>
  );
}

interface NothingFoundProps {
  filter: ListFilter;
  /** The number of keys with another status that match. */
  otherMatches: number | undefined;
}

function NothingFound({ filter, otherMatches = 0 }: NothingFoundProps) {
  const { status, q } = filter;
  const creator = useCreatorName(filter.createdBy ?? '');
  const filters = namedFilters(filter).map(
    ({ name, label, value }) => `"${label.toLowerCase()} ${name === 'createdBy' ? creator : value}"`,
  );
  const criteria = [
    ...(q === '' ? [] : [`"${q}"`]),
    ...(filters.length === 0
      ? []
      : [`the ${filters.length === 1 ? 'filter' : 'filters'} ${filters.join(', ')}`]),
  ];
  const none = `No ${status === 'all' ? '' : `${status} `}keys match ${criteria.join(' and ')}.`;
  const clearing = otherMatches === 0 ? 'secondary' : 'quiet';
  return (
    <EmptyState title="No keys found">
      <p>{`${none} ${searchHint(filter, otherMatches)}`.trim()}</p>
      <div className="empty__actions">
        {otherMatches === 0 ? null : (
          <Link
            from="/settings/api"
            to="."
            search={(search) => ({ ...search, status: 'all' as const })}
            className={buttonClass('secondary')}
          >
            Search all keys
          </Link>
        )}
        {filters.length === 0 ? null : (
          <Link from="/settings/api" to="." search={withoutFilters} className={buttonClass(clearing)}>
            Clear filters
          </Link>
        )}
        {q === '' ? null : (
          <Link
            from="/settings/api"
            to="."
            search={({ q: _q, ...search }) => search}
            className={buttonClass(filters.length === 0 ? clearing : 'quiet')}
          >
            Clear search
          </Link>
        )}
      </div>
    </EmptyState>
  );
}

/** Suggests what to try next. */
function searchHint({ status, q }: ListFilter, otherMatches: number): string {
  if (otherMatches === 1) return '1 key with another status matches.';
  if (otherMatches > 1) return `${formatNumber(otherMatches)} keys with another status match.`;
  const scope = q === '' ? '' : 'The search covers names, previews and IDs.';
  return status === 'all' ? scope : `No keys with another status match either. ${scope}`;
}

function KeyNotFound() {
  return (
    <EmptyState title="No keys found">
      <p>This key is not in this workspace. It may belong to another workspace or deployment.</p>
    </EmptyState>
  );
}

const noneTexts = {
  expired: 'Keys are listed here after their expiration date.',
  disabled: 'Keys that are disabled are rejected until someone enables them again.',
  revoked: 'Revoked keys stay listed here, so that you can see when they were revoked.',
};

function NoneWithStatus({ status }: { status: ListFilter['status'] }) {
  return (
    <EmptyState ofKeys title={`No ${status} keys`}>
      <p>{status === 'expired' || status === 'disabled' ? noneTexts[status] : noneTexts.revoked}</p>
    </EmptyState>
  );
}
