import './UsageSection.css';
import type { Key } from '@soku/contract/keys';
import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type UsageRange, usageOptions } from '../../../../api/usage.ts';
import { Failure } from '../../../../components/Notice.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { LastUseDetails } from './LastUseDetails.tsx';
import { RangeSwitch } from './RangeSwitch.tsx';
import { RejectionReasons } from './RejectionReasons.tsx';
import { rangeLabels, summarizeUsage, toSlots } from './slots.ts';
import { Totals } from './Totals.tsx';
import { ChartFrame, UsageChart } from './UsageChart.tsx';
import { UsageTable } from './UsageTable.tsx';

interface UsageSectionProps {
  id: string;
  /** Undefined while the key is loading, which happens in parallel with the numbers. */
  apiKey: Key | undefined;
  range: UsageRange;
}

/** Shows the accepted and rejected requests of a key, its last use and why requests were rejected. Refreshes itself. */
export function UsageSection({ id, apiKey, range }: UsageSectionProps) {
  const { data, error, isPlaceholderData } = useQuery(usageOptions(id, range));
  const action = <RangeSwitch range={range} />;
  if (error && !data) {
    return (
      <Section title="Requests" action={action}>
        <div className="usage__failed">
          <Failure error={error} />
        </div>
      </Section>
    );
  }
  // After a change to the page of another key, the numbers are those of the previous key until its own have loaded.
  const usage = apiKey && data?.keyId === id ? data : undefined;
  const shownRange = usage && isPlaceholderData ? rangeOf(usage) : range;
  return (
    <>
      <Section title="Requests" action={action}>
        <div className="usage" aria-busy={usage === undefined || isPlaceholderData}>
          {apiKey && usage ? (
            <Chart usage={usage} apiKey={apiKey} range={shownRange} />
          ) : (
            <ChartSkeleton key="loading" />
          )}
          <LastUseDetails usage={usage} />
        </div>
      </Section>
      <RejectionReasons usage={usage} range={shownRange} />
    </>
  );
}

function ChartSkeleton() {
  return (
    <>
      <p className="visually-hidden" role="status">
        Loading requests
      </p>
      <ChartFrame head={<Totals usage={undefined} revokedAt={null} />} />
      <p className="numbers">
        <Skeleton width="short" />
      </p>
    </>
  );
}

/** While a new range is loading, the labels match the previous range, whose numbers are still shown. */
function rangeOf({ hours }: Usage): UsageRange {
  if (hours.length === 24) return '24h';
  return hours.length === 7 * 24 ? '7d' : '30d';
}

function Chart({ usage, apiKey, range }: { usage: Usage; apiKey: Key; range: UsageRange }) {
  const slots = useMemo(() => toSlots(usage.hours, range), [usage.hours, range]);
  const empty = usage.accepted + usage.refused === 0;
  return (
    <>
      <UsageChart
        slots={slots}
        range={range}
        head={<Totals usage={usage} revokedAt={apiKey.revokedAt} />}
        summary={summarizeUsage(slots, range)}
        revokedAt={apiKey.revokedAt === null ? null : Date.parse(apiKey.revokedAt)}
      >
        {empty ? (
          <Empty unused={usage.lastUsed === null && apiKey.status === 'active'} range={range} />
        ) : null}
      </UsageChart>
      <UsageTable slots={slots} range={range} />
    </>
  );
}

function Empty({ unused, range }: { unused: boolean; range: UsageRange }) {
  return (
    <p className="chart__empty">
      {unused ? (
        <span key="unused">
          No program has used this key yet. <Link to="/help/authentication">How to use it</Link>
        </span>
      ) : (
        <span key="none">{`No requests in the last ${rangeLabels[range]}.`}</span>
      )}
    </p>
  );
}
