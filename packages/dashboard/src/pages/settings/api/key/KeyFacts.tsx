import './KeyFacts.css';
import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession } from '../../../../api/session.ts';
import { CopyButton } from '../../../../components/CopyButton.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { exactTime, formatDay, utcTime } from '../../../../dates/dates.ts';
import { CreatorName } from '../list/CreatorName.tsx';

/** What never changes about a key, and when it ends. Each fact takes one line, so that nothing moves when it has loaded. */
export function KeyFacts({ apiKey }: { apiKey: Key | undefined }) {
  return (
    <dl className="key-facts">
      <Fact name="Created">{apiKey ? <Day at={apiKey.createdAt} /> : null}</Fact>
      <Fact name="Created by">{apiKey ? <Creator id={apiKey.createdBy} /> : null}</Fact>
      <Fact name={apiKey ? endLabels[apiKey.status] : endLabels.active}>
        {apiKey ? <End apiKey={apiKey} /> : null}
      </Fact>
      <Fact name="ID">
        {apiKey ? (
          <span className="key-facts__id">
            <code className="key-facts__text" translate="no">
              {apiKey.id}
            </code>
            <CopyButton text={() => apiKey.id} what="ID" />
          </span>
        ) : null}
      </Fact>
    </dl>
  );
}

const endLabels: Record<Key['status'], string> = {
  active: 'Expires',
  disabled: 'Expires',
  expired: 'Expired',
  revoked: 'Revoked',
};

function End({ apiKey: { expiresAt, revokedAt } }: { apiKey: Key }) {
  const at = revokedAt ?? expiresAt;
  return at === null ? <span key="never">Never</span> : <Day key="day" at={at} />;
}

/** @param children null while loading */
function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="key-facts__fact">
      <dt className="key-facts__name">{name}</dt>
      <dd>{children ?? <Skeleton width="middle" />}</dd>
    </div>
  );
}

function Day({ at }: { at: string }) {
  return (
    <time className="key-facts__text" dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
      {formatDay(at)}
    </time>
  );
}

function Creator({ id }: { id: string }) {
  const user = useSession()?.user;
  if (id === user?.id) {
    const you = `You (${user.email})`;
    return (
      <span key="you" className="key-facts__text" title={you}>
        {you}
      </span>
    );
  }
  if (id.startsWith('key_')) {
    return (
      <Link key="key" to="/settings/api/$keyId" params={{ keyId: id }} className="key-facts__text">
        <CreatorName id={id} />
      </Link>
    );
  }
  return (
    <code key="account" className="key-facts__text" title={id} translate="no">
      {id}
    </code>
  );
}
