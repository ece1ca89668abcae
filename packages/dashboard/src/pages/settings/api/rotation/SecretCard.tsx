import type { Key } from '@soku/contract/keys';
import type { Secret } from '@soku/contract/secrets';
import { Clock, Hourglass } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge } from '../../../../components/Badge.tsx';
import { percent } from '../../../../components/ChartMarks.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { KeyPreview } from '../../../../components/KeyTeeth.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import {
  exactTime,
  formatDay,
  relativeTime,
  relativeTimeWithSeconds,
  utcTime,
} from '../../../../dates/dates.ts';
import { RetireButton } from './RetireButton.tsx';

type Position = 'only' | 'newest' | 'older';

interface SecretCardProps {
  secret: Secret;
  /** The status of its key. */
  status: Key['status'];
  /** Among the secrets of the key that are accepted. */
  position: Position;
  canRetire: boolean;
  /** In the last 24 hours; undefined while loading, null if unknown. */
  requests: { count: number; share: number } | undefined | null;
}

export function SecretCard({ secret, status, position, canRetire, requests }: SecretCardProps) {
  const isOld = position === 'older';
  const ownStatus = isOld && status === 'active' ? 'expired' : status;
  return (
    <article className="secret-card">
      <div className="secret-card__head">
        <KeyPreview preview={secret.preview} status={ownStatus} />
        <SecretBadge secret={secret} status={status} position={position} />
      </div>
      <dl className="secret-card__facts">
        {requests === null ? null : (
          <Fact name="Requests, 24 hours">
            <Requests requests={requests} isShared={position !== 'only'} />
          </Fact>
        )}
        <Fact name="Last used">
          {secret.lastUsedAt === null ? (
            <span key="never">Never</span>
          ) : (
            <LastUse key="at" at={secret.lastUsedAt} />
          )}
        </Fact>
        <Fact name="Created">
          <time
            dateTime={secret.createdAt}
            title={`${exactTime(secret.createdAt)}\n${utcTime(secret.createdAt)}`}
          >
            {formatDay(secret.createdAt)}
          </time>
        </Fact>
      </dl>
      {position === 'only' || requests === null ? null : (
        <svg className="secret-card__bar" height="8" aria-hidden="true">
          <rect className="secret-card__rest" width="100%" height="8" />
          <rect
            className={isOld ? 'secret-card__part--old' : 'secret-card__part'}
            width={percent(requests?.share ?? 0)}
            height="8"
          />
        </svg>
      )}
      {canRetire ? (
        <p>
          <RetireButton secret={secret} />
        </p>
      ) : null}
    </article>
  );
}

function Requests({ requests, isShared }: { requests: SecretCardProps['requests']; isShared: boolean }) {
  if (!requests) return <Skeleton width="short" />;
  return (
    <span>
      <span>{formatNumber(requests.count)}</span>
      {isShared ? <span className="secret-card__share">{` ${formatPercent(requests.share)}`}</span> : null}
    </span>
  );
}

function formatPercent(share: number): string {
  const percent = Math.round(share * 100);
  return share > 0 && percent === 0 ? '<1%' : `${percent}%`;
}

function SecretBadge({ secret, status, position }: Pick<SecretCardProps, 'secret' | 'status' | 'position'>) {
  if (position === 'only') return null;
  if (position === 'newest') return <Badge tone="brass">New secret</Badge>;
  const hasEnded = status === 'revoked' || status === 'expired';
  if (secret.retiresAt !== null && !hasEnded) {
    return <Badge icon={Clock}>{`Old secret, stops ${relativeTime(secret.retiresAt)}`}</Badge>;
  }
  if (status === 'active') return <Badge icon={Hourglass}>Old secret, still works</Badge>;
  return <Badge>Old secret</Badge>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function LastUse({ at }: { at: string }) {
  return (
    <time dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
      {relativeTimeWithSeconds(at)}
    </time>
  );
}
