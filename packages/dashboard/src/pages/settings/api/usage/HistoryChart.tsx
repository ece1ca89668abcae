import { useMemo } from 'react';
import type { RangeUsage } from '../../../../api/usage-history.ts';
import type { Elements } from '../../../../components/elements.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { CsvLink } from './CsvLink.tsx';
import { rangeLabels, summarizeUsage, toSlots } from './slots.ts';
import { Totals } from './Totals.tsx';
import { ChartFrame, UsageChart } from './UsageChart.tsx';
import { UsageTable } from './UsageTable.tsx';

interface HistoryChartProps {
  usage: RangeUsage;
  revokedAt?: string | null;
  /** Replaces the text of a chart without requests. */
  none?: Elements;
  /** Between the chart and its numbers. */
  details?: Elements;
}

/** The chart of a range, with its numbers as a table and as CSV. */
export function HistoryChart({ usage, revokedAt = null, none, details }: HistoryChartProps) {
  const { periods, range, keyId, timeZone } = usage;
  const slots = useMemo(() => toSlots(periods), [periods]);
  const isEmpty = usage.accepted + usage.refused === 0;
  return (
    <>
      <UsageChart
        slots={slots}
        range={range}
        zone={timeZone}
        head={<Totals usage={usage} revokedAt={revokedAt} />}
        note={retentionNote(usage)}
        summary={summarizeUsage(slots, range, timeZone)}
        revokedAt={revokedAt === null ? null : Date.parse(revokedAt)}
      >
        {isEmpty ? (
          <p className="chart__empty">
            {none || <span key="none">{`No requests in the last ${rangeLabels[range]}.`}</span>}
          </p>
        ) : null}
      </UsageChart>
      {details}
      <div className="usage__numbers">
        <UsageTable slots={slots} range={range} zone={timeZone} />
        <CsvLink keyId={keyId} range={range} table="requests" timeZone={timeZone} />
      </div>
    </>
  );
}

/** The same size as the chart and what follows it. */
export function HistoryChartPending() {
  return (
    <>
      <p className="visually-hidden" role="status">
        Loading requests
      </p>
      <ChartFrame head={<Totals usage={undefined} />} />
      <p className="numbers">
        <Skeleton width="short" />
      </p>
    </>
  );
}

/** Why the chart is shorter than its range, if it is. */
function retentionNote({ range, retentionDays }: RangeUsage): string {
  return Number.parseInt(rangeLabels[range], 10) > retentionDays && range !== '24h'
    ? ` Usage is kept for ${retentionDays} days.`
    : '';
}
