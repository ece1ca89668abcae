import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { usageOfLastDayOptions } from '../../../api/usage.ts';
import { deviceOf } from '../../../components/device.ts';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { freshTime } from '../../../dates/dates.ts';

/**
 * Who would notice if this key were gone, in two lines. It has its place before it is there, and nothing waits for it: a
 * leaked key is revoked at once, whether or not this is known.
 */
export function KeyUse({ id }: { id: string }) {
  const { data: usage, error } = useQuery(usageOfLastDayOptions(id));
  return (
    <div className="key-use" role="status">
      {usage ? <Use usage={usage} /> : null}
      {error && !usage ? (
        <p>What uses this key could not be loaded. It can be revoked all the same.</p>
      ) : null}
      {!error && !usage ? (
        <>
          <span className="visually-hidden">Loading what uses this key</span>
          <Skeleton width="full" />
          <Skeleton width="long" />
        </>
      ) : null}
    </div>
  );
}

function Use({ usage: { accepted, lastUsed } }: { usage: Usage }) {
  if (accepted > 0) return <RecentUse accepted={accepted} lastUsed={lastUsed} />;
  const lines = lastUsed
    ? ['Not used in the last 24 hours.', `Last used ${freshTime(lastUsed.at)}.`]
    : ['Never used.', 'No request with this key was ever accepted.'];
  return lines.map((line) => <p key={line}>{line}</p>);
}

function RecentUse({ accepted, lastUsed }: Pick<Usage, 'accepted' | 'lastUsed'>) {
  return (
    <>
      <p>
        <strong>{accepted === 1 ? '1 request' : `${accepted.toLocaleString('en')} requests`}</strong>
        <span>{` in the last 24 hours${lastUsed ? ',' : ''}`}</span>
      </p>
      {lastUsed ? (
        <p>
          <span>{`last ${freshTime(lastUsed.at)} from `}</span>
          <code translate="no">{lastUsed.address}</code>
          {lastUsed.userAgent === '' ? null : <Program userAgent={lastUsed.userAgent} />}
        </p>
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
  if (userAgent.startsWith('Mozilla/')) return <span key="browser">{` with ${deviceOf(userAgent)}`}</span>;
  const [program = userAgent] = userAgent.split(/\s/, 1);
  return (
    <span>
      <span> with </span>
      <code translate="no">{program.length > longest ? `${program.slice(0, longest)}…` : program}</code>
    </span>
  );
}
