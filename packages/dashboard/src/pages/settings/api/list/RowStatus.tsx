import { msPerDay } from '@soku/contract/instant';
import type { Key } from '@soku/contract/keys';
import { Clock, Moon, RefreshCw } from 'lucide-react';
import { Badge } from '../../../../components/Badge.tsx';
import { StatusBadge } from '../../../../components/StatusBadge.tsx';
import { formatDay, relativeTime } from '../../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { rotationOf } from '../rotation/rotation.ts';
import { formatDays } from './filters.ts';

/** In days. */
const expiringWithinDays = 14;
const unusedForDays = 90;

interface RowStatusProps {
  apiKey: Key;
  /** Whether the list has no other keys. Then only what needs attention is visible. */
  ofActiveKeys: boolean;
}

export function RowStatus({ apiKey, ofActiveKeys }: RowStatusProps) {
  useRenderEveryMinute();
  const { revokedAt } = apiKey;
  const now = Date.now();
  const status = statusAt(apiKey, now);
  const notice = status === 'active' ? noticeOf(apiKey, now) : null;
  if (notice) return <span>{notice}</span>;
  return (
    <>
      <span className={status === 'active' && ofActiveKeys ? 'visually-hidden' : undefined}>
        <StatusBadge status={status} />
      </span>
      {revokedAt ? (
        <time className="table__more" dateTime={revokedAt} title={revokedAt}>
          {formatDay(revokedAt)}
        </time>
      ) : null}
    </>
  );
}

/** A long list is refreshed so seldom that a key may have expired since. */
function statusAt({ status, expiresAt }: Key, now: number): Key['status'] {
  return status === 'active' && expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : status;
}

/** What to know about an active key. */
function noticeOf(key: Key, now: number) {
  const { expiresAt, lastUsedAt, createdAt } = key;
  const rotation = rotationOf(key, now);
  if (rotation?.isUnfinished) {
    return (
      <Badge icon={RefreshCw} tone="warn">
        Rotation unfinished
      </Badge>
    );
  }
  if (expiresAt !== null && Date.parse(expiresAt) - now < expiringWithinDays * msPerDay) {
    return (
      <Badge icon={Clock} tone="warn">
        {`Expires ${relativeTime(expiresAt, now)}`}
      </Badge>
    );
  }
  if (rotation) {
    const end = rotation.next?.secret.retiresAt;
    return (
      <Badge icon={RefreshCw}>
        {end ? `Old secret stops ${relativeTime(end, now)}` : 'Rotation started'}
      </Badge>
    );
  }
  const unusedDays = Math.floor((now - Date.parse(lastUsedAt ?? createdAt)) / msPerDay);
  return unusedDays < unusedForDays ? null : (
    <Badge icon={Moon}>{`Unused for ${formatDays(unusedDays)}`}</Badge>
  );
}
