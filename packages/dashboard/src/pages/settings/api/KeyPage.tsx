import './KeyPage.css';
import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { keyOptions } from '../../../api/keys.ts';
import { refreshWhileSignedIn } from '../../../api/refresh.ts';
import { Failure } from '../../../components/Notice.tsx';
import { useRecordOpenedKey } from '../../../session/recent-keys.ts';
import type { KeyTab } from '../../search.ts';
import { Breadcrumbs } from '../Breadcrumbs.tsx';
import { AccessTab } from './key/AccessTab.tsx';
import { ActivityTab } from './key/ActivityTab.tsx';
import { EndedUse } from './key/EndedUse.tsx';
import { KeyDialogs } from './key/KeyDialogs.tsx';
import { KeyFacts } from './key/KeyFacts.tsx';
import { isKeyNotFound, KeyHead } from './key/KeyHead.tsx';
import { KeyTabs } from './key/KeyTabs.tsx';
import { ReportedLeak } from './key/ReportedLeak.tsx';
import { isAccepted } from './rotation/rotation.ts';
import { SecretsTab } from './rotation/SecretsTab.tsx';
import { useTimedValue } from './rotation/use-second.ts';
import { UsageSection } from './usage/UsageSection.tsx';

const route = getRouteApi('/shell/signed-in/settings/api/$keyId');

export function KeyPage() {
  const { keyId } = route.useParams();
  const search = route.useSearch();
  const { tab = 'overview' } = search;
  const { data: key, error } = useQuery({ ...keyOptions(keyId), refetchInterval: refreshWhileSignedIn });
  useRecordOpenedKey(key?.id);

  return (
    <>
      <Breadcrumbs page={<bdi translate="no">{key?.name ?? 'Key'}</bdi>} />
      <KeyHead apiKey={key} tab={tab} error={error} />
      {error && !key ? <LoadFailure error={error} /> : <Tabs id={keyId} apiKey={key} tab={tab} />}
      <KeyDialogs id={keyId} search={search} />
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
  const accepted = useTimedValue((now) => countAccepted(apiKey, now));
  return (
    <>
      {apiKey ? <ReportedLeak apiKey={apiKey} /> : null}
      {apiKey ? <EndedUse apiKey={apiKey} /> : null}
      <KeyFacts apiKey={apiKey} />
      <KeyTabs current={tab} secrets={accepted} />
      {tab === 'overview' ? <UsageSection id={id} apiKey={apiKey} range={range} /> : null}
      {tab === 'access' ? <AccessTab apiKey={apiKey} open={panel} /> : null}
      {tab === 'secrets' ? <SecretsTab apiKey={apiKey} /> : null}
      {tab === 'activity' ? <ActivityTab keyId={id} /> : null}
    </>
  );
}

/** @param now epoch ms */
function countAccepted(key: Key | undefined, now: number): number {
  if (key?.status === 'revoked' || key?.status === 'expired') return 0;
  return key?.secrets.filter((secret) => isAccepted(secret, now)).length ?? 0;
}

/** For a key that does not exist, the heading says everything. */
function LoadFailure({ error }: { error: Error }) {
  return isKeyNotFound(error) ? null : <Failure error={error} />;
}
