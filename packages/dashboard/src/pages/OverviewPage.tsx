import './OverviewPage.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { newestKeysOptions } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button, buttonClass } from '../components/Button.tsx';
import { Kbd } from '../components/Kbd.tsx';
import { Failure } from '../components/Notice.tsx';
import { PageHead } from '../components/PageHead.tsx';
import { useSingleKey } from '../components/shortcuts.ts';
import { ExpiringKeys } from './overview/ExpiringKeys.tsx';
import { FirstSteps } from './overview/FirstSteps.tsx';
import { KeyCounts } from './overview/KeyCounts.tsx';
import { NewestKeys } from './overview/NewestKeys.tsx';

export function OverviewPage() {
  const session = useSession();
  const shortcut = useSingleKey('n');
  const { data, error, refetch } = useQuery(newestKeysOptions(5));
  const counts = data?.counts;
  const empty = counts?.all === 0;

  return (
    <>
      <PageHead
        title="Overview"
        action={
          counts && !empty ? (
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
          ) : null
        }
      >
        {session?.workspace?.name}
      </PageHead>
      {error && !data ? (
        <Failure error={error}>
          <p>
            <Button onClick={() => refetch()}>Try again</Button>
          </p>
        </Failure>
      ) : null}
      {empty ? <FirstSteps origin={session?.publicUrl ?? ''} /> : null}
      {empty || (error && !data) ? null : (
        <>
          <KeyCounts counts={counts} />
          <ExpiringKeys />
          <NewestKeys keys={data?.data} />
        </>
      )}
    </>
  );
}
