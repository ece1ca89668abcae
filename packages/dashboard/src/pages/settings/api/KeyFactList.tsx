import type { Key } from '@soku/server/key-schemas';
import type { ReactNode } from 'react';
import { useSession } from '../../../api/session.ts';
import { CopyButton } from '../../../components/CopyButton.tsx';
import { relativeTime } from '../../../components/dates.ts';
import { StatusBadge } from '../../../components/StatusBadge.tsx';
import { ExactTime } from '../../../components/When.tsx';
import { scopeTexts } from './ScopeFields.tsx';

export function KeyFactList({ apiKey }: { apiKey: Key }) {
  const user = useSession()?.user;
  return (
    <dl className="card">
      <Fact name="Status">
        <StatusBadge status={apiKey.status} />
      </Fact>
      <Fact name="Key preview">
        <code>{apiKey.preview}</code>
      </Fact>
      <Fact name="Created">
        <Moment at={apiKey.createdAt} />
      </Fact>
      <Fact name="Created by">
        {apiKey.createdBy === user?.id ? `You (${user.email})` : <code>{apiKey.createdBy}</code>}
      </Fact>
      {apiKey.revokedAt ? (
        <Fact name="Revoked">
          <Moment at={apiKey.revokedAt} />
        </Fact>
      ) : null}
      <Fact name={apiKey.status === 'expired' ? 'Expired' : 'Expires'}>
        {apiKey.expiresAt ? <Moment at={apiKey.expiresAt} /> : 'Never'}
      </Fact>
      <Fact name="Scopes">
        {apiKey.scopes.length === 0 ? 'None: it opens the API and manages nothing' : null}
        {apiKey.scopes.map((scope) => (
          <span className="fact__scope" key={scope}>
            <code>{scope}</code> {scopeTexts[scope]}
          </span>
        ))}
      </Fact>
      <Fact name="ID">
        <span className="fact__id">
          <code>{apiKey.id}</code>
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

function Moment({ at }: { at: string }) {
  return (
    <>
      <ExactTime at={at} /> <span className="fact__relative">({relativeTime(at)})</span>
    </>
  );
}
