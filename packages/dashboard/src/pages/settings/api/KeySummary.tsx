import './KeySummary.css';
import type { Key } from '@soku/contract/keys';
import { KeyPreview } from '../../../components/KeyTeeth.tsx';
import { ExactTime, RelativeTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { UsageSummary } from './UsageSummary.tsx';

/** Which key a dialog is about, and what uses it. */
export function KeySummary({ apiKey, id }: { apiKey: Key | undefined; id: string }) {
  return (
    <div className="facts">
      <p className="facts__name" translate="no">
        {apiKey ? <bdi>{apiKey.name}</bdi> : <Skeleton width="middle" />}
      </p>
      <p className="facts__line">
        {apiKey ? <KeyPreview preview={apiKey.preview} status={apiKey.status} /> : <Skeleton width="long" />}
      </p>
      <p className="facts__line">
        {apiKey ? (
          <>
            <span>
              Created <RelativeTime at={apiKey.createdAt} />
            </span>
            {apiKey.revokedAt ? (
              <span>
                , revoked <ExactTime at={apiKey.revokedAt} />
              </span>
            ) : null}
          </>
        ) : (
          <Skeleton width="short" />
        )}
      </p>
      {apiKey?.status === 'revoked' ? null : <UsageSummary id={id} />}
    </div>
  );
}
