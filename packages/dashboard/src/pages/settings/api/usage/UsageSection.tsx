import './UsageSection.css';
import type { Key } from '@soku/contract/keys';
import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { usageOptions } from '../../../../api/usage.ts';
import { historyOptions, type RangeUsage, type UsageRange } from '../../../../api/usage-history.ts';
import { Failure } from '../../../../components/Notice.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Clients } from './Clients.tsx';
import { HistoryChart, HistoryChartPending } from './HistoryChart.tsx';
import { LastUseDetails } from './LastUseDetails.tsx';
import { RangeSwitch } from './RangeSwitch.tsx';
import { RejectionReasons } from './RejectionReasons.tsx';

interface UsageSectionProps {
  id: string;
  /** Undefined while the key is loading, which happens in parallel with the numbers. */
  apiKey: Key | undefined;
  range: UsageRange;
}

/**
 * Shows the accepted and rejected requests of a key, its last use, why requests were rejected, and its clients. Refreshes
 * itself.
 */
export function UsageSection({ id, apiKey, range }: UsageSectionProps) {
  const history = useQuery(historyOptions(id, range));
  const recent = useQuery(usageOptions(id));
  const action = <RangeSwitch range={range} from="/settings/api/$keyId" />;
  const error = failureOf(history) ?? failureOf(recent);
  if (error) {
    return (
      <Section title="Requests" action={action}>
        <div className="usage__failed">
          <Failure error={error} />
        </div>
      </Section>
    );
  }
  // After a change to the page of another key, the numbers are those of the previous key until its own have loaded.
  const lastUse = apiKey && recent.data?.keyId === id ? recent.data : undefined;
  const usage = lastUse && history.data?.keyId === id ? history.data : undefined;
  // While a new range is loading, the labels match the previous range, whose numbers are still shown.
  const shownRange = usage?.range ?? range;
  return (
    <>
      <Section title="Requests" action={action}>
        <div className="usage" aria-busy={usage === undefined || history.isPlaceholderData}>
          {usage ? (
            <KeyChart usage={usage} apiKey={apiKey} lastUse={lastUse} />
          ) : (
            <HistoryChartPending key="loading" />
          )}
          <LastUseDetails usage={lastUse} />
        </div>
      </Section>
      <RejectionReasons usage={usage} range={shownRange} />
      <Clients usage={usage} keyId={id} range={shownRange} />
    </>
  );
}

interface KeyChartProps {
  usage: RangeUsage;
  apiKey: Key | undefined;
  lastUse: Usage | undefined;
}

function KeyChart({ usage, apiKey, lastUse }: KeyChartProps) {
  const isUnused = lastUse?.lastUsed === null && apiKey?.status === 'active';
  return (
    <HistoryChart usage={usage} revokedAt={apiKey?.revokedAt ?? null} none={isUnused ? <Unused /> : null} />
  );
}

/** Why there is nothing to show, if so. */
function failureOf({ data, error }: { data: unknown; error: unknown }): unknown {
  return data === undefined ? error : null;
}

function Unused() {
  return (
    <span>
      No program has used this key yet. <Link to="/help/authentication">How to use it</Link>
    </span>
  );
}
