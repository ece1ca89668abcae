import './RecentKeys.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useId } from 'react';
import { ApiError } from '../api/client.ts';
import { keyOptions } from '../api/keys.ts';
import { KeyTeeth } from '../components/KeyTeeth.tsx';
import { Skeleton } from '../components/Skeleton.tsx';
import { useDropRecentKey, useRecentKeyIds } from '../session/recent-keys.ts';

/** @param onFollow called when a key is opened */
export function RecentKeys({ onFollow }: { onFollow?: () => void }) {
  const ids = useRecentKeyIds();
  const title = useId();
  if (ids.length === 0) return null;
  return (
    <nav className="recent" aria-labelledby={title}>
      <p className="recent__title" id={title}>
        Recently opened
      </p>
      <ul>
        {ids.map((id) => (
          <RecentKey key={id} id={id} onFollow={onFollow} />
        ))}
      </ul>
    </nav>
  );
}

function RecentKey({ id, onFollow }: { id: string; onFollow: (() => void) | undefined }) {
  const { data: key, error } = useQuery({
    ...keyOptions(id),
    staleTime: 60_000,
    meta: { isOutsidePage: true },
  });
  const isNotFound = error instanceof ApiError && error.status === 404;
  const drop = useDropRecentKey();
  useEffect(() => {
    if (isNotFound) drop(id);
  }, [isNotFound, drop, id]);

  if (error && !key) return null;
  if (!key) {
    return (
      <li className="recent__key" aria-hidden>
        <Skeleton width="middle" />
      </li>
    );
  }
  return (
    <li>
      <Link
        to="/settings/api/$keyId"
        params={{ keyId: id }}
        activeOptions={{ includeSearch: false }}
        className="recent__key"
        title={key.name}
        onClick={onFollow}
      >
        <KeyTeeth preview={key.preview} status={key.status} />
        <span className="recent__name" translate="no" dir="auto">
          {key.name}
        </span>
      </Link>
    </li>
  );
}
