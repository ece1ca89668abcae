import type { KeyList } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { KeyRound, Plus, SearchX } from 'lucide-react';
import type { ListFilter } from '../../../api/keys.ts';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { Empty } from '../../../components/Empty.tsx';

interface EmptyListProps {
  filter: ListFilter;
  /** Of the keys that the search finds; undefined until that is known. */
  counts: KeyList['counts'];
  onGenerate: () => void;
}

export function EmptyList({ filter, counts, onGenerate }: EmptyListProps) {
  const anyKeys = counts?.all !== 0;
  if (filter.hash !== '') return <KeyNotFound />;
  if (filter.q !== '') return <NothingFound filter={filter} elsewhere={counts?.all} />;
  if (anyKeys && filter.status !== 'active') return <NoneWithStatus status={filter.status} />;
  return (
    <Empty icon={<KeyRound size={20} aria-hidden />} title={anyKeys ? 'No active key' : 'No keys yet'}>
      <p>
        A key lets a program call the API in the name of your workspace. Make one for each program, and name
        it after where it runs.
      </p>
      <div className="empty__actions">
        <Button look="secondary" icon={Plus} onClick={onGenerate}>
          {anyKeys ? 'Make a key' : 'Make your first key'}
        </Button>
        <Link to="/help/authentication" className={buttonClass('quiet')}>
          How a program uses it
        </Link>
      </div>
    </Empty>
  );
}

interface NothingFoundProps {
  filter: ListFilter;
  /** How many keys with another status match. */
  elsewhere: number | undefined;
}

function NothingFound({ filter: { status, q }, elsewhere = 0 }: NothingFoundProps) {
  const none = `No ${status === 'all' ? '' : `${status} `}keys match "${q}".`;
  return (
    <Empty icon={<SearchX size={20} aria-hidden />} title="Nothing found">
      <p>{`${none} ${whatElse(status, elsewhere)}`}</p>
      <div className="empty__actions">
        {elsewhere === 0 ? null : (
          <Link
            from="/settings/api"
            to="."
            search={(search) => ({ ...search, status: 'all' as const })}
            className={buttonClass('secondary')}
          >
            Search all keys
          </Link>
        )}
        <Link
          from="/settings/api"
          to="."
          search={({ q: _q, ...search }) => search}
          className={buttonClass(elsewhere === 0 ? 'secondary' : 'quiet')}
        >
          Clear the search
        </Link>
      </div>
    </Empty>
  );
}

/** What to try, as far as it can help. */
function whatElse(status: ListFilter['status'], elsewhere: number): string {
  if (elsewhere === 1) return '1 key with another status does.';
  if (elsewhere > 1) return `${elsewhere.toLocaleString('en')} keys with another status do.`;
  const looksAt = 'The search looks at names, previews and IDs.';
  return status === 'all' ? looksAt : `Neither does a key with another status. ${looksAt}`;
}

function KeyNotFound() {
  return (
    <Empty icon={<SearchX size={20} aria-hidden />} title="Nothing found">
      <p>This key is not one of this workspace. It may belong to another workspace or deployment.</p>
    </Empty>
  );
}

function NoneWithStatus({ status }: { status: ListFilter['status'] }) {
  const text =
    status === 'expired'
      ? 'Keys that were made with an expiry date come here when it has passed.'
      : 'Keys that you revoke stay here, so that you can see what was and when it ended.';
  return (
    <Empty icon={<KeyRound size={20} aria-hidden />} title={`No ${status} keys`}>
      <p>{text}</p>
    </Empty>
  );
}
