import './OverviewPage.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { hasKeysOptions, workspaceUsageOptions } from '../api/overview.ts';
import { useSession } from '../api/session.ts';
import { buttonClass } from '../components/Button.tsx';
import { Kbd } from '../components/Kbd.tsx';
import { LoadFailed } from '../components/LoadFailed.tsx';
import { PageHead } from '../components/PageHead.tsx';
import { useSingleKey } from '../components/shortcuts.ts';
import { FirstSteps } from './overview/FirstSteps.tsx';
import { NeedsAttention } from './overview/NeedsAttention.tsx';
import { Rankings } from './overview/Rankings.tsx';
import { Today } from './overview/Today.tsx';
import { TodayHead } from './overview/TodayHead.tsx';

export function OverviewPage() {
  const session = useSession();
  const { data: hasKeys, error, refetch } = useQuery(hasKeysOptions);
  if (hasKeys === false) {
    return (
      <>
        <PageHead title="Overview">{session?.workspace?.name}</PageHead>
        <FirstSteps origin={session?.publicUrl ?? ''} />
      </>
    );
  }
  if (hasKeys === undefined && error) {
    return (
      <>
        <PageHead title="Overview">{session?.workspace?.name}</PageHead>
        <LoadFailed error={error} onRetry={refetch} />
      </>
    );
  }
  return <Activity />;
}

function Activity() {
  const shortcut = useSingleKey('n');
  const { data: usage, error, refetch } = useQuery(workspaceUsageOptions);
  return (
    <>
      <div className="overview__head">
        <TodayHead usage={usage} />
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
        {error && !usage ? <LoadFailed error={error} onRetry={refetch} /> : <Today usage={usage} />}
        <NeedsAttention usage={usage} />
      </div>
      {error && !usage ? null : <Rankings usage={usage} />}
    </>
  );
}
