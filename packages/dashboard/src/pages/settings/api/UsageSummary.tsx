import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { lastWeekUsageOptions } from '../../../api/usage.ts';
import { describeDevice } from '../../../components/device.ts';
import { formatNumber } from '../../../components/format-number.ts';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { relativeTimeWithSeconds } from '../../../dates/dates.ts';

/**
 * Summarizes in two lines what uses the key. Its space is reserved while it loads, and nothing waits for it, so that a
 * leaked key can be revoked immediately.
 */
export function UsageSummary({ id }: { id: string }) {
  const { data: usage, error } = useQuery(lastWeekUsageOptions(id));
  return (
    <div className="key-use" role="status">
      {usage ? <Use usage={usage} /> : null}
      {error && !usage ? <p>Usage could not be loaded. You can still revoke the key.</p> : null}
      {!error && !usage ? (
        <>
          <span className="visually-hidden">Loading usage</span>
          <Skeleton width="full" />
          <Skeleton width="long" />
        </>
      ) : null}
    </div>
  );
}

/** @param usage of the last 7 days */
function Use({ usage: { accepted, lastUsed, hours } }: { usage: Usage }) {
  if (accepted > 0) {
    const lastDay = hours.slice(-24).reduce((sum, hour) => sum + hour.accepted, 0);
    return <RecentUse lastDay={lastDay} lastWeek={accepted} lastUsed={lastUsed} />;
  }
  const lines = lastUsed
    ? ['Not used in the last 7 days.', `Last used ${relativeTimeWithSeconds(lastUsed.at)}.`]
    : ['Never used.', 'No request with this key has been accepted.'];
  return lines.map((line) => <p key={line}>{line}</p>);
}

interface RecentUseProps extends Pick<Usage, 'lastUsed'> {
  /** Accepted requests in the last 24 hours. */
  lastDay: number;
  /** Accepted requests in the last 7 days. */
  lastWeek: number;
}

function RecentUse({ lastDay, lastWeek, lastUsed }: RecentUseProps) {
  return (
    <>
      <p>
        <strong>{lastDay === 1 ? '1 request' : `${formatNumber(lastDay)} requests`}</strong>
        <span>{` in the last 24 hours, ${formatNumber(lastWeek)} in 7 days${lastUsed ? ',' : ''}`}</span>
      </p>
      {lastUsed ? (
        <p>
          <span>{`last used ${relativeTimeWithSeconds(lastUsed.at)} from `}</span>
          <code translate="no">{lastUsed.address}</code>
          {lastUsed.userAgent === '' ? null : <Program userAgent={lastUsed.userAgent} />}
        </p>
      ) : null}
    </>
  );
}

const maxLength = 40;

/**
 * The first product of a user agent, such as "curl/8.5" in "curl/8.5 (x86_64) libcurl/8.5", names the program (RFC
 * 9110, 10.1.5). Browsers all start with Mozilla/5.0, so they are recognized by describeDevice.
 */
function Program({ userAgent }: { userAgent: string }) {
  if (userAgent.startsWith('Mozilla/'))
    return <span key="browser">{` with ${describeDevice(userAgent)}`}</span>;
  const [program = userAgent] = userAgent.split(/\s/, 1);
  return (
    <span>
      <span> with </span>
      <code translate="no">{program.length > maxLength ? `${program.slice(0, maxLength)}…` : program}</code>
    </span>
  );
}
