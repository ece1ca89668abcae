import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '../../../api/session.ts';
import { defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Button } from '../../../components/Button.tsx';
import { CopyButton } from '../../../components/CopyButton.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { capitalize } from '../../../components/sentence.ts';
import { ExactTime } from '../../../components/When.tsx';
import { relativeTime } from '../../../dates/dates.ts';
import { useMinute } from '../../../dates/use-minute.ts';
import { formatLimit } from './limit.ts';
import { describeScope } from './ScopeFields.tsx';

export function KeyFactList({ apiKey, onEditLimit }: { apiKey: Key; onEditLimit: () => void }) {
  const user = useSession()?.user;
  return (
    <dl>
      <Fact name="Created">
        <Moment at={apiKey.createdAt} />
      </Fact>
      <Fact name="Created by">
        {apiKey.createdBy === user?.id ? (
          `You (${user.email})`
        ) : (
          <code translate="no">{apiKey.createdBy}</code>
        )}
      </Fact>
      {apiKey.revokedAt ? (
        <Fact name="Revoked">
          <Moment at={apiKey.revokedAt} />
        </Fact>
      ) : null}
      <Fact name={apiKey.status === 'expired' ? 'Expired' : 'Expires'}>
        {apiKey.expiresAt ? <Moment at={apiKey.expiresAt} /> : 'Never'}
      </Fact>
      <Fact name="Rate limit">
        <Limit apiKey={apiKey} onEdit={onEditLimit} />
      </Fact>
      <Fact name="Scopes">
        {apiKey.scopes.length === 0 ? (
          <span>None. The key can call the API, but cannot manage anything.</span>
        ) : null}
        {apiKey.scopes.map((scope) => (
          <span className="fact__scope" key={scope}>
            <code translate="no">{scope}</code> <span>{describeScope(scope)}</span>
          </span>
        ))}
      </Fact>
      <Fact name="ID">
        <span className="fact__with-button">
          <code translate="no">{apiKey.id}</code>
          <CopyButton text={() => apiKey.id} what="ID" />
        </span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt className="fact__name">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Limit({ apiKey: { rateLimit, status }, onEdit }: { apiKey: Key; onEdit: () => void }) {
  const { data: workspace } = useQuery(workspaceOptions);
  return (
    <span className="fact__with-button">
      {rateLimit === null ? (
        <span key="inherited">
          {workspace ? <span>{capitalize(formatLimit(defaultLimitOf(workspace)))}</span> : <Skeleton />}
          <span className="fact__relative"> (workspace default)</span>
        </span>
      ) : (
        <span key="own">{capitalize(formatLimit(rateLimit))}</span>
      )}
      {status === 'revoked' ? null : (
        <Button variant="quiet" icon={Pencil} onClick={onEdit}>
          Edit limit
        </Button>
      )}
    </span>
  );
}

function Moment({ at }: { at: string }) {
  useMinute();
  return (
    <span>
      <ExactTime at={at} /> <span className="fact__relative">{`(${relativeTime(at)})`}</span>
    </span>
  );
}
