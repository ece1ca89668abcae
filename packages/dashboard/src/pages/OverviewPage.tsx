import './OverviewPage.css';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { attentionOptions, hasKeysOptions, workspaceUsageOptions } from '../api/overview.ts';
import { useSession } from '../api/session.ts';
import { buttonClass } from '../components/Button.tsx';
import { Kbd } from '../components/Kbd.tsx';
import { LoadFailed } from '../components/LoadFailed.tsx';
import { PageHead } from '../components/PageHead.tsx';
import { useSingleKeyShortcut } from '../components/shortcuts.ts';
import { FirstSteps } from './overview/FirstSteps.tsx';
import { NeedsAttention } from './overview/NeedsAttention.tsx';
import { Rankings } from './overview/Rankings.tsx';
import { TodayHead } from './overview/TodayHead.tsx';
import { WorkspaceClients } from './overview/WorkspaceClients.tsx';
import { WorkspaceRequests } from './overview/WorkspaceRequests.tsx';

const route = getRouteApi('/shell/signed-in/');

export function OverviewPage() {
  const session = useSession();
  const { data: hasKeys, error, refetch } = useQuery(hasKeysOptions);
  const isUnknown = hasKeys === undefined;
  // Most workspaces have keys, so their page is shown until this is known.
  if (hasKeys || (isUnknown && !error)) return <Activity isPending={isUnknown} />;
  return (
    <>
      <PageHead title="Overview">{session?.workspace?.name}</PageHead>
      {isUnknown ? (
        <LoadFailed error={error} onRetry={refetch} />
      ) : (
        <FirstSteps origin={session?.publicUrl ?? ''} />
      )}
    </>
  );
}

function Activity({ isPending }: { isPending: boolean }) {
  const shortcut = useSingleKeyShortcut('n');
  const { range = '24h' } = route.useSearch();
  const { data, error, refetch } = useQuery(workspaceUsageOptions);
  const usage = isPending ? undefined : data;
  const isFailed = data === undefined && error !== null;
  const attention = useQuery(attentionOptions);
  const isLoading = !(usage || isFailed) || attention.isPending;
  return (
    <>
      <div className="overview__head">
        <TodayHead usage={usage} isFailed={isFailed} />
        <div className="page-head__actions">
          <Link to="/settings/api" className={buttonClass('secondary')}>
            All keys
          </Link>
          <Link
            to="/settings/api"
            search={{ panel: 'generate' }}
            className={buttonClass('primary')}
            aria-keyshortcuts={shortcut}
          >
            <Plus size={16} aria-hidden />
            <span>Generate New Key</span>
            {shortcut ? <Kbd>N</Kbd> : null}
          </Link>
        </div>
      </div>
      <div className="overview__thirds">
        <WorkspaceRequests range={range} today={usage} error={isFailed ? error : null} onRetry={refetch} />
        <NeedsAttention usage={usage} lists={attention.data} error={attention.error} isPending={isLoading} />
      </div>
      {/* On a phone they are below the other lists, whose length is unknown until both have loaded. */}
      {usage && !isLoading ? (
        <>
          <Rankings usage={usage} />
          <WorkspaceClients range={range} />
        </>
      ) : null}
    </>
  );
}
