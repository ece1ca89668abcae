import './AccessTab.css';
import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Fact } from '../../../../components/Fact.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import type { Panel } from '../../../../components/use-panel.ts';
import { AddressesFact } from './AddressesFact.tsx';
import { ExternalIdFact, MetadataFact } from './CustomDataFacts.tsx';
import { ExpiryFact } from './ExpiryFact.tsx';
import type { FactProps } from './facts.ts';
import { LimitFact } from './LimitFact.tsx';
import { ScopesFact } from './ScopesFact.tsx';

interface AccessTabProps {
  /** Undefined while loading. */
  apiKey: Key | undefined;
  /** The panel that the URL names. */
  open: Panel | undefined;
}

/** What the key may do, from where, how often and until when, and what the operator stores with it. */
export function AccessTab({ apiKey, open }: AccessTabProps) {
  if (!apiKey) return <AccessSkeleton />;
  // With another key, the forms start over.
  return <Access key={apiKey.id} apiKey={apiKey} open={open} canEdit={apiKey.status !== 'revoked'} />;
}

const environments: Record<Key['environment'], string> = { live: 'Live', test: 'Test' };

function Access(props: FactProps) {
  const { apiKey, canEdit } = props;
  return (
    <>
      <Section
        title="What this key can do"
        lead={canEdit ? null : 'A revoked key can do nothing. This is what it could do before.'}
        action={<Link to="/help/authentication">Scopes and rate limits</Link>}
      >
        <dl>
          <ScopesFact {...props} />
          <AddressesFact {...props} />
          <LimitFact {...props} />
          <ExpiryFact {...props} />
          <Fact name="Environment">{environments[apiKey.environment]}</Fact>
        </dl>
      </Section>
      <Section
        title="Your own data"
        lead={
          <span>
            Stored with the key. Verification returns the external ID;{' '}
            <code translate="no">POST /v1/verify</code> also returns the metadata.
          </span>
        }
      >
        <dl>
          <ExternalIdFact {...props} />
          <MetadataFact {...props} />
        </dl>
      </Section>
    </>
  );
}

function AccessSkeleton() {
  return (
    <Section title="What this key can do">
      <p className="visually-hidden" role="status">
        Loading access
      </p>
      {['scopes', 'addresses', 'limit', 'expiry', 'environment'].map((fact) => (
        <div className="fact" key={fact} aria-hidden>
          <span className="fact__name">
            <Skeleton width="short" />
          </span>
          <span>
            <Skeleton width="middle" />
          </span>
        </div>
      ))}
    </Section>
  );
}
