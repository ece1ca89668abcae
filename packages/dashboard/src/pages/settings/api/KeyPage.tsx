import './KeyPage.css';
import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { ApiError } from '../../../api/client.ts';
import { keyOptions } from '../../../api/keys.ts';
import { refreshWhileSignedIn } from '../../../api/refresh.ts';
import { KeyBlank, PreviewText } from '../../../components/Bitting.tsx';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { KeyDrawing } from '../../../components/KeyDrawing.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { StatusBadge } from '../../../components/StatusBadge.tsx';
import { usePanel } from '../../../components/use-panel.ts';
import { useRecordOpenedKey } from '../../../session/recent-keys.ts';
import type { KeyTab } from '../../search.ts';
import { AccessTab } from './key/AccessTab.tsx';
import { ActivityTab } from './key/ActivityTab.tsx';
import { KeyFacts } from './key/KeyFacts.tsx';
import { KeyTabs } from './key/KeyTabs.tsx';
import { RenameDialog } from './RenameDialog.tsx';
import { RevokeDialog } from './RevokeDialog.tsx';
import { UsageSection } from './usage/UsageSection.tsx';
import { useAfterRevoke } from './use-after-revoke.ts';

const route = getRouteApi('/shell/signed-in/settings/api/$keyId');
const noRows: Key[] = [];

export function KeyPage() {
  const { keyId } = route.useParams();
  const { tab = 'overview', panel } = route.useSearch();
  const { data: key, error } = useQuery({ ...keyOptions(keyId), refetchInterval: refreshWhileSignedIn });
  const { closePanel } = usePanel();
  const afterRevoke = useAfterRevoke(noRows, panel);
  useRecordOpenedKey(key?.id);

  return (
    <>
      <Breadcrumb name={key?.name} />
      <div className="key-head">
        {key ? <KeyDrawing preview={key.preview} status={key.status} /> : <KeyBlank />}
        <KeyHead apiKey={key} tab={tab} error={error} />
      </div>
      {error && !key ? <LoadFailure error={error} /> : <Tabs id={keyId} apiKey={key} tab={tab} />}
      {panel === 'rename' ? <RenameDialog id={keyId} onClose={closePanel} /> : null}
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

interface TabsProps {
  id: string;
  /** Undefined while loading. */
  apiKey: Key | undefined;
  tab: KeyTab;
}

function Tabs({ id, apiKey, tab }: TabsProps) {
  const { panel, range = '24h' } = route.useSearch();
  return (
    <>
      <KeyFacts apiKey={apiKey} />
      <KeyTabs current={tab} />
      {tab === 'overview' ? <UsageSection id={id} apiKey={apiKey} range={range} /> : null}
      {tab === 'access' ? <AccessTab apiKey={apiKey} isEditingLimit={panel === 'limit'} /> : null}
      {tab === 'activity' ? <ActivityTab keyId={id} /> : null}
    </>
  );
}

/** For a key that does not exist, the heading says everything. */
function LoadFailure({ error }: { error: Error }) {
  return isMissing(error) ? null : <Failure error={error} />;
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
          <bdi>{name ?? 'Key'}</bdi>
        </li>
      </ol>
    </nav>
  );
}

interface KeyHeadProps {
  apiKey: Key | undefined;
  tab: KeyTab;
  error: Error | null;
}

const tabTitles: Record<KeyTab, string> = {
  overview: 'API key',
  access: 'access of an API key',
  activity: 'activity of an API key',
};

/** Renders the same heading element before and after loading, because a new element would lose the focus. */
function KeyHead({ apiKey, tab, error }: KeyHeadProps) {
  if (apiKey) {
    return (
      <PageHead
        title={apiKey.name}
        isName
        tabTitle={`${apiKey.name}, ${tabTitles[tab]}`}
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
    <PageHead
      title={missing ? 'Key not found' : 'This key could not be displayed'}
      action={
        <div className="page-head__actions">
          <Link to="/settings/api" className={buttonClass('secondary')}>
            All keys
          </Link>
        </div>
      }
    >
      {missing ? 'Check the address for typos. The key may also belong to another workspace.' : null}
    </PageHead>
  );
}

/** Each fits on one line on a phone, so that nothing moves when the key has loaded. */
const leads: Record<Key['status'], string> = {
  active: 'Requests with this key are accepted.',
  disabled: 'Disabled. Requests are rejected with 403.',
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
