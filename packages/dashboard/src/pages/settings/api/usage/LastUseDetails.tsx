import type { Usage } from '@soku/contract/usage';
import type { ReactNode } from 'react';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { exactTime, relativeTimeWithSeconds, utcTime } from '../../../../dates/dates.ts';

/** Time, IP address and user agent of the last accepted request. */
export function LastUseDetails({ usage }: { usage: Usage | undefined }) {
  const use = usage?.lastUsed;
  return (
    <dl className="last-use">
      <Fact name="Last used" loaded={usage !== undefined}>
        {use ? (
          <time dateTime={use.at} title={`${exactTime(use.at)}\n${utcTime(use.at)}`}>
            {relativeTimeWithSeconds(use.at)}
          </time>
        ) : (
          'Never'
        )}
      </Fact>
      <Fact name="IP address" loaded={usage !== undefined}>
        {use ? <code translate="no">{use.address}</code> : 'None'}
      </Fact>
      <Fact name="User agent" loaded={usage !== undefined}>
        {use?.userAgent ? <code translate="no">{use.userAgent}</code> : null}
        {use?.userAgent === '' ? <span>Not sent</span> : null}
        {use ? null : <span>None</span>}
      </Fact>
    </dl>
  );
}

function Fact({ name, loaded, children }: { name: string; loaded: boolean; children: ReactNode }) {
  return (
    <div className="last-use__fact">
      <dt className="last-use__name">{name}</dt>
      <dd>{loaded ? children : <Skeleton width="middle" />}</dd>
    </div>
  );
}
