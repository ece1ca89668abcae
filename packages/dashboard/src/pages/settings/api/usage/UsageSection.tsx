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

/** Shows the accepted and rejected requests of a key and its last use. Refreshes itself. */
export function UsageSection({ id, apiKey, range }: UsageSectionProps) {
  const { data, error, isPlaceholderData } = useQuery(usageOptions(id, range));
  const usage = apiKey && data;
  return (
    <Section title="Requests" action={<RangeSwitch range={range} />}>
      {error && !data ? (
        <div className="usage__failed">
          <Failure error={error} />
        </div>
      ) : (
        <div className="usage" aria-busy={usage === undefined || isPlaceholderData}>
          {usage ? null : (
            <p className="visually-hidden" role="status">
              Loading requests
            </p>
          )}
          {usage ? (
            <Chart usage={usage} apiKey={apiKey} range={isPlaceholderData ? rangeOf(usage) : range} />
          ) : (
            <>
              <ChartFrame head={<Totals usage={undefined} revokedAt={null} />} />
              <p className="numbers">
                <Skeleton width="short" />
              </p>
            </>
          )}
          <LastUseDetails usage={usage} />
        </div>
      )}
    </Section>
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
