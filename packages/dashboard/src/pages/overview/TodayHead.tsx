import type { WorkspaceUsage } from '@soku/contract/usage';
import { formatNumber } from '../../components/format-number.ts';
import { usePageTitle } from '../../components/PageHead.tsx';
import { Skeleton } from '../../components/Skeleton.tsx';
import { useRenderEveryMinute } from '../../dates/use-render-every-minute.ts';
import { dateFormat, userTimeZone } from '../../dates/zone.ts';
import { compareDays, dayHours, formatClock, yesterdaySoFar } from './day.ts';

const longDay = { weekday: 'long', day: 'numeric', month: 'long' } as const;

interface TodayHeadProps {
  /** Undefined while it is loading, or if it could not be loaded. */
  usage: WorkspaceUsage | undefined;
  isFailed: boolean;
}

/** The heading, and one sentence that compares today with yesterday. */
export function TodayHead({ usage, isFailed }: TodayHeadProps) {
  useRenderEveryMinute();
  usePageTitle('Overview');
  const now = Date.now();
  return (
    <div className="overview__text">
      <div className="overview__day">
        <h1 tabIndex={-1}>Overview</h1>
        <p>{`${dateFormat(userTimeZone, longDay).format(now)}, until ${formatClock(now)}`}</p>
      </div>
      {usage ? <Sentence usage={usage} now={now} /> : null}
      {usage || isFailed ? null : <Pending />}
    </div>
  );
}

function Sentence({ usage, now }: { usage: WorkspaceUsage; now: number }) {
  const requests = usage.today.accepted + usage.today.refused;
  const noun = requests === 1 ? 'request' : 'requests';
  return (
    <p className="overview__figure">
      <strong>{requests === 0 ? 'No requests' : `${formatNumber(requests)} ${noun}`}</strong>
      <span>{` ${compareDays(requests, yesterdaySoFar(dayHours(usage), now))}`}</span>
    </p>
  );
}

function Pending() {
  return (
    <p className="overview__figure">
      <Skeleton width="long" />
    </p>
  );
}
