import './KeyPage.css';
import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { ApiError } from '../../../api/client.ts';
import { keyOptions } from '../../../api/keys.ts';
import { refreshWhileSignedIn } from '../../../api/refresh.ts';
import { KeyBlank, PreviewText } from '../../../components/Bitting.tsx';
import { Button } from '../../../components/Button.tsx';
import { KeyDrawing } from '../../../components/KeyDrawing.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { Section } from '../../../components/Section.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { StatusBadge } from '../../../components/StatusBadge.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { useRecordOpenedKey } from '../../../session/recent-keys.ts';
import { KeyFactList } from './KeyFactList.tsx';
import { KeyLimitDialog } from './KeyLimitDialog.tsx';
import { RenameDialog } from './RenameDialog.tsx';
import { RevokeDialog } from './RevokeDialog.tsx';
import { UsageSection } from './usage/UsageSection.tsx';
import { useAfterRevoke } from './use-after-revoke.ts';

const route = getRouteApi('/shell/signed-in/settings/api/$keyId');
const noRows: Key[] = [];

export function KeyPage() {
  const { keyId } = route.useParams();
  const { panel, range = '24h' } = route.useSearch();
  const { data: key, error } = useQuery({ ...keyOptions(keyId), refetchInterval: refreshWhileSignedIn });
  const { openPanel, closePanel } = usePanel();
  const afterRevoke = useAfterRevoke(noRows, panel);
  useRecordOpenedKey(key?.id);

  return (
    <>
      <Breadcrumb name={key?.name} />
      <div className="key-head">
        {key ? <KeyDrawing preview={key.preview} status={key.status} /> : <KeyBlank />}
        <KeyHead apiKey={key} error={error} />
      </div>
      {error && !key ? null : <UsageSection id={keyId} apiKey={key} range={range} />}
      {key ? <KeyDetails apiKey={key} onEditLimit={() => openPanel('limit')} /> : null}
      {!key && error && !isMissing(error) ? <Failure error={error} /> : null}
      {!key && !error ? <Loading /> : null}
      {panel === 'rename' ? <RenameDialog id={keyId} onClose={closePanel} /> : null}
      {panel === 'limit' ? <KeyLimitDialog id={keyId} onClose={closePanel} /> : null}
      {panel === 'revoke' ? (
        <RevokeDialog
          id={keyId}
          onClose={closePanel}
          onRevoked={(revoked, revocation) => {
            afterRevoke(revoked, revocation);
            closePanel();
          }}
        />
      ) : null}
    </>
  );
}

function Breadcrumb({ name }: { name: string | undefined }) {
  return (
    <nav className="crumbs" aria-label="Breadcrumb">
      <ol>
        <li>
          <Link to="/settings/account">Settings</Link>
        </li>
        <li>
          <Link to="/settings/api">API keys</Link>
        </li>
        <li aria-current="page" translate="no">
          {name ?? 'Key'}
        </li>
      </ol>
    </nav>
  );
}

/** Renders the same heading element before and after loading, because a new element would lose the focus. */
function KeyHead({ apiKey, error }: { apiKey: Key | undefined; error: Error | null }) {
  if (apiKey) {
    return (
      <PageHead
        title={apiKey.name}
        tabTitle={`${apiKey.name}, API key`}
        badge={<StatusBadge status={apiKey.status} />}
        action={<KeyActions revoked={apiKey.status === 'revoked'} />}
      >
        <span className="key-head__lead" key="lead">
          <PreviewText preview={apiKey.preview} />
          <span>{leads[apiKey.status]}</span>
        </span>
      </PageHead>
    );
  }
  if (!error) {
    return (
      <PageHead title="API key" action={<div className="page-head__actions" />}>
        <Skeleton width="long" />
      </PageHead>
    );
  }
  const missing = isMissing(error);
  return (
    <PageHead title={missing ? 'Key not found' : 'This key could not be displayed'}>
      {missing ? 'Check the address for typos. The key may also belong to another workspace.' : null}
    </PageHead>
  );
}

/** Each fits into one line on a phone, so that nothing moves when the key has loaded. */
const leads: Record<Key['status'], string> = {
  active: 'Requests with this key are accepted.',
  expired: 'Expired. Requests are rejected with 401.',
  revoked: 'Revoked. Requests are rejected with 401.',
};

function isMissing(error: Error): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}

function KeyActions({ revoked }: { revoked: boolean }) {
  const { openPanel } = usePanel();
  return (
    <div className="page-head__actions">
      <Button icon={Pencil} onClick={() => openPanel('rename')}>
        Rename
      </Button>
      {revoked ? null : (
        <Button variant="secondary-danger" onClick={() => openPanel('revoke')}>
          Revoke key
        </Button>
      )}
    </div>
  );
}

function KeyDetails({ apiKey, onEditLimit }: { apiKey: Key; onEditLimit: () => void }) {
  return (
    <>
      <Section
        title="Details"
        action={
          <Link to="/settings/audit" search={{ key: apiKey.id }}>
            Audit log for this key
          </Link>
        }
      >
        <KeyFactList apiKey={apiKey} onEditLimit={onEditLimit} />
      </Section>
      <p className="key-help">
        The full key was shown once, when it was created, and is not stored. If it is lost, create a new key
        and revoke this one. <Link to="/help/api-key-management">How to replace a key without downtime</Link>
      </p>
    </>
  );
}

const lines = ['created', 'by', 'expires', 'limit', 'scopes', 'id'];

function Loading() {
  return (
    <Section title="Details">
      <div aria-hidden>
        {lines.map((line) => (
          <div className="fact" key={line}>
            <span className="fact__name">
              <Skeleton width="short" />
            </span>
            <span>
              <Skeleton width="middle" />
            </span>
          </div>
        ))}
      </div>
    </Section>
  );
}
