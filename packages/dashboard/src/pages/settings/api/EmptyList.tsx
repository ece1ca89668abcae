import '../../../components/Card.css';
import { Link } from '@tanstack/react-router';
import { KeyRound, Plus, SearchX } from 'lucide-react';
import type { ListFilter } from '../../../api/keys.ts';
import { Button, buttonClass } from '../../../components/Button.tsx';
import type { Elements } from '../../../components/elements.ts';

interface EmptyListProps {
  filter: ListFilter;
  anyKeys: boolean;
  onGenerate: () => void;
}

export function EmptyList({ filter, anyKeys, onGenerate }: EmptyListProps) {
  if (filter.hash !== '') return <KeyNotFound />;
  if (filter.q !== '') return <NothingFound q={filter.q} />;
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

function NothingFound({ q }: { q: string }) {
  return (
    <Empty icon={<SearchX size={20} aria-hidden />} title="Nothing found">
      <p>{`No key here has “${q}” in its name. Keys with another status are under the other filters.`}</p>
      <div className="empty__actions">
        <Link
          from="/settings/api"
          to="."
          search={({ q: _q, ...search }) => search}
          className={buttonClass('secondary')}
        >
          Clear the search
        </Link>
      </div>
    </Empty>
  );
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

function Empty({ icon, title, children }: { icon: Elements; title: string; children: Elements }) {
  return (
    <div className="card empty">
      <span className="empty__icon">{icon}</span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
