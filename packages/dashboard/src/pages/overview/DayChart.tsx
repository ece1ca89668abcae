import './DayChart.css';
import { msPerHour } from '@soku/contract/instant';
import type { WorkspaceUsage } from '@soku/contract/usage';
import { useMemo, useState } from 'react';
import { ChartBand, ChartLine, percent } from '../../components/ChartMarks.tsx';
import { ChartReader } from '../../components/ChartReader.tsx';
import { formatCompact, formatNumber } from '../../components/format-number.ts';
import { useRenderEveryMinute } from '../../dates/use-render-every-minute.ts';
import { axisMaximum, type DayHour, dayHours, describeHour, formatClock, roundUp } from './day.ts';

/**
 * Requests of today by hour, with yesterday behind them. Rejected requests hang below the axis, on their own scale.
 * All widths are percentages, so that nothing has to be measured.
 */
export function DayChart({ usage }: { usage: WorkspaceUsage }) {
  useRenderEveryMinute();
  const hours = useMemo(() => dayHours(usage), [usage]);
  const [shown, setShown] = useState<number | null>(null);
  const current = usage.today.hours.length - 1;
  const index = shown ?? Math.max(current, 0);
  const hour = shown === null ? undefined : hours[shown];
  const now = Date.now();

  return (
    <div className="day">
      <div className="day__head">
        <p className="day__readout">{hour ? <span>{describeHour(hour)}</span> : <Legend />}</p>
      </div>
      <div className="day__scale" aria-hidden>
        <Scale top={topOf(hours)} />
      </div>
      <div className="day__plot">
        <svg className="day__bars" role="img" aria-label={summaryOf(usage)}>
          {hour ? <ChartBand index={index} count={hours.length} /> : null}
          <Accepted hours={hours} now={now} />
          <Now hours={hours} now={now} />
        </svg>
        <ChartReader
          label="Requests of one hour"
          valueText={hours[index] ? describeHour(hours[index]) : undefined}
          index={index}
          count={hours.length}
          onRead={setShown}
        />
        {usage.today.accepted + usage.today.refused + usage.yesterday.accepted === 0 ? (
          <p className="day__empty">
            <span>No requests yesterday or today.</span>
          </p>
        ) : null}
      </div>
      <svg className="day__ticks" aria-hidden="true">
        {hours.map(({ from }, slot) =>
          slot % 3 === 0 && slot < 24 ? (
            <text
              key={from}
              x={percent(slot / hours.length)}
              y="1em"
              textAnchor={slot === 0 ? 'start' : 'middle'}
            >
              {formatClock(from)}
            </text>
          ) : null,
        )}
      </svg>
      <Rejected hours={hours} now={now} index={hour ? index : null} />
    </div>
  );
}

function topOf(hours: DayHour[]): number {
  return axisMaximum(
    Math.max(0, ...hours.flatMap(({ today, yesterday }) => [today?.accepted ?? 0, yesterday.accepted])),
  );
}

function Scale({ top }: { top: number }) {
  return [4, 3, 2, 1, 0].map((quarter) => <span key={quarter}>{formatCompact((top * quarter) / 4)}</span>);
}

function Legend() {
  return (
    <span className="day__legend">
      <span className="day__key day__key--accepted">Accepted today</span>
      <span className="day__key day__key--yesterday">Yesterday</span>
      <span className="day__key day__key--rejected">Rejected</span>
    </span>
  );
}

/** Units of the drawing: an hour wide, `height` high. It is stretched to the plot, but its lines keep their width. */
const height = 1000;

function Accepted({ hours, now }: { hours: DayHour[]; now: number }) {
  const top = topOf(hours);
  const y = (accepted: number) => Math.round((1 - accepted / top) * height);
  const passed = hours.filter(({ today }) => today !== undefined);
  // The current hour ends at the present.
  const end = Math.min((now - (hours[0]?.from ?? now)) / msPerHour, passed.length);
  const steps = (heights: number[], last: number) =>
    heights.map((at, index) => `V${at}H${index === heights.length - 1 ? last : index + 1}`).join('');
  const today = passed.map(({ today: counts }) => y(counts?.accepted ?? 0));
  const yesterday = hours.map(({ yesterday: counts }) => y(counts.accepted));
  return (
    <svg
      viewBox={`0 0 ${hours.length} ${height}`}
      width="100%"
      height="100%"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path className="day__area" d={`M0 ${height}${steps(today, end)}V${height}Z`} />
      <path className="day__yesterday" d={`M0 ${yesterday[0]}${steps(yesterday, hours.length)}`} />
      <path className="day__edge" d={`M0 ${today[0]}${steps(today, end)}`} />
    </svg>
  );
}

/** Where the present is, with the time. */
function Now({ hours, now }: { hours: DayHour[]; now: number }) {
  const share = (now - (hours[0]?.from ?? now)) / msPerHour / hours.length;
  if (share < 0 || share > 1) return null;
  return (
    <ChartLine share={share} turnsAt={0.9} lineClass="day__now" labelClass="day__time">
      {formatClock(now)}
    </ChartLine>
  );
}

/** As a share of the width of an hour. */
const barGap = 0.04;

/** As a share of the plot's height, so that a single request among thousands stays visible. */
const minShare = 0.04;

function Rejected({ hours, now, index }: { hours: DayHour[]; now: number; index: number | null }) {
  const most = Math.max(0, ...hours.map(({ today }) => today?.refused ?? 0));
  const top = roundUp(most);
  const width = 1 / hours.length;
  return (
    <>
      <div className="day__scale" aria-hidden>
        <span>0</span>
        <span>{top === 0 ? '' : formatCompact(top)}</span>
      </div>
      <svg className="day__rejected" aria-hidden="true">
        {index === null ? null : <ChartBand index={index} count={hours.length} />}
        {hours.map(({ from, today }, slot) =>
          today && today.refused > 0 ? (
            <rect
              key={from}
              x={percent((slot + barGap) * width)}
              // The current hour ends at the present.
              width={percent(Math.max(Math.min((now - from) / msPerHour, 1) - 2 * barGap, barGap) * width)}
              y="0"
              height={percent(Math.max(today.refused / top, minShare))}
            />
          ) : null,
        )}
      </svg>
    </>
  );
}
/** A text alternative for the drawing. */
function summaryOf({ today, yesterday }: WorkspaceUsage): string {
  return `Requests per hour. Today: ${formatNumber(today.accepted)} accepted, ${formatNumber(today.refused)} rejected. Yesterday: ${formatNumber(yesterday.accepted)} accepted, ${formatNumber(yesterday.refused)} rejected.`;
}
