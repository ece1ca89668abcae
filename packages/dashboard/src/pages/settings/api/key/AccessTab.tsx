import './AccessTab.css';
import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { ExactTime } from '../../../../components/When.tsx';
import { relativeTime } from '../../../../dates/dates.ts';
import { useMinute } from '../../../../dates/use-minute.ts';
import { describeScope } from '../ScopeFields.tsx';
import { Fact } from './Fact.tsx';
import { LimitFact } from './LimitFact.tsx';

interface AccessTabProps {
  /** Undefined while loading. */
  apiKey: Key | undefined;
  /** Whether the limit is being edited. */
  isEditingLimit: boolean;
}

/** What the key may do, how often and until when. Only the limit can be changed. */
export function AccessTab({ apiKey, isEditingLimit }: AccessTabProps) {
  return (
    <>
      <Section title="What this key can do">
        {apiKey ? (
          <dl>
            <LimitFact key={apiKey.id} apiKey={apiKey} isEditing={isEditingLimit} />
            <Fact name={apiKey.status === 'expired' ? 'Expired' : 'Expires'}>
              {apiKey.expiresAt ? <Moment at={apiKey.expiresAt} /> : 'Never'}
            </Fact>
            <Fact name="Scopes">
              <Scopes scopes={apiKey.scopes} />
            </Fact>
          </dl>
        ) : (
          <AccessSkeleton />
        )}
      </Section>
      {apiKey ? (
        <p className="key-help">
          The expiration date and the scopes are set when a key is created, and the full key is shown only
          then. To change them, or if the key is lost, create a new key and revoke this one.{' '}
          <Link to="/help/api-key-management">How to replace a key without downtime</Link>
        </p>
      ) : null}
    </>
  );
}

function Scopes({ scopes }: Pick<Key, 'scopes'>) {
  if (scopes.length === 0) return <span>None. The key can call the API, but cannot manage anything.</span>;
  return scopes.map((scope) => (
    <span className="fact__scope" key={scope}>
      <code translate="no">{scope}</code> <span>{describeScope(scope)}</span>
    </span>
  ));
}

function Moment({ at }: { at: string }) {
  useMinute();
  return (
    <span>
      <ExactTime at={at} /> <span className="fact__more">{`(${relativeTime(at)})`}</span>
    </span>
  );
}

function AccessSkeleton() {
  return (
    <div>
      <p className="visually-hidden" role="status">
        Loading access
      </p>
      {['limit', 'expiry', 'scopes'].map((fact) => (
        <div className="fact" key={fact} aria-hidden>
          <span className="fact__name">
            <Skeleton width="short" />
          </span>
          <span>
            <Skeleton width="middle" />
          </span>
        </div>
      ))}
    </div>
  );
}
