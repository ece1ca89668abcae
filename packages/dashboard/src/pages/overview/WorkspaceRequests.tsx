import '../settings/api/usage/UsageSection.css';
import type { WorkspaceUsage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { historyOptions, type UsageRange } from '../../api/usage-history.ts';
import { LoadFailed } from '../../components/LoadFailed.tsx';
import { Section } from '../../components/Section.tsx';
import { HistoryChart, HistoryChartPending } from '../settings/api/usage/HistoryChart.tsx';
import { RangeSwitch } from '../settings/api/usage/RangeSwitch.tsx';
import { unitOf } from '../settings/api/usage/slots.ts';
import { Reasons } from './Reasons.tsx';
import { Today } from './Today.tsx';

interface WorkspaceRequestsProps {
  range: UsageRange;
  /** Undefined while loading. */
  today: WorkspaceUsage | undefined;
  /** Why today could not be loaded, if so. */
  error: unknown;
  onRetry: () => unknown;
}

/** The requests of the workspace: today with yesterday by the hour, or a longer range. */
export function WorkspaceRequests({ range, today, error, onRetry }: WorkspaceRequestsProps) {
  return (
    <Section title={`Requests per ${unitOf(range)}`} action={<RangeSwitch range={range} from="/" />}>
      {range === '24h' && error !== null ? <LoadFailed key="failed" error={error} onRetry={onRetry} /> : null}
      {range === '24h' && error === null ? <Today key="today" usage={today} /> : null}
      {range === '24h' ? null : <History key="history" range={range} />}
    </Section>
  );
}

function History({ range }: { range: UsageRange }) {
  const { data, error, refetch, isPlaceholderData } = useQuery(historyOptions(undefined, range));
  if (!data && error) return <LoadFailed error={error} onRetry={refetch} />;
  // The numbers of today have their own chart.
  const usage = data?.range === '24h' ? undefined : data;
  return (
    <div className="usage" aria-busy={usage === undefined || isPlaceholderData}>
      {usage ? (
        <HistoryChart usage={usage} details={<Reasons of={usage} />} />
      ) : (
        <HistoryChartPending key="loading" />
      )}
    </div>
  );
}
