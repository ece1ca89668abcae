import type { Usage } from '@soku/server/usage-schemas';
import { useQuery } from '@tanstack/react-query';
import { usageOfLastDayOptions } from '../../../api/usage.ts';
import { freshTime } from '../../../components/dates.ts';
import { deviceOf } from '../../../components/device.ts';
import { Skeleton } from '../../../components/Skeleton.tsx';

/**
 * Who would notice if this key were gone. It has its place before it is there, and nothing waits for it: a leaked key is
 * revoked at once, whether or not this is known.
 */
export function KeyUse({ id }: { id: string }) {
  const { data: usage, error } = useQuery(usageOfLastDayOptions(id));
  return (
    <p className="key-use" role="status">
      {usage ? <Use usage={usage} /> : null}
      {error && !usage ? 'What uses this key could not be loaded. It can be revoked all the same.' : null}
      {!error && !usage ? (
        <>
          <span className="visually-hidden">Loading what uses this key</span>
          <Skeleton width="full" />
        </>
      ) : null}
    </p>
  );
}

function Use({ usage: { accepted, lastUsed } }: { usage: Usage }) {
  if (accepted === 0) {
    return lastUsed ? `Not used in the last 24 hours (last used ${freshTime(lastUsed.at)}).` : 'Never used.';
  }
  return (
    <>
      <strong>{accepted === 1 ? '1 request' : `${accepted.toLocaleString('en')} requests`}</strong> in the
      last 24 hours
      {lastUsed ? (
        <>
          , last {freshTime(lastUsed.at)} from <code>{lastUsed.address}</code>
          {lastUsed.userAgent === '' ? null : (
            <>
              {' '}
              with <Program userAgent={lastUsed.userAgent} />
            </>
          )}
        </>
      ) : null}
    </>
  );
}

const longest = 40;

/**
 * "curl/8.5" of "curl/8.5 (x86_64) libcurl/8.5": programs name themselves first (RFC 9110, 10.1.5). But every browser
 * calls itself Mozilla/5.0.
 */
function Program({ userAgent }: { userAgent: string }) {
  if (userAgent.startsWith('Mozilla/')) return deviceOf(userAgent);
  const [program = userAgent] = userAgent.split(/\s/, 1);
  return <code>{program.length > longest ? `${program.slice(0, longest)}…` : program}</code>;
}
