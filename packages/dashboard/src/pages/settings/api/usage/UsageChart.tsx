import './UsageChart.css';
import { type CSSProperties, memo, type ReactNode, useState } from 'react';
import type { UsageRange } from '../../../../api/usage-history.ts';
import { ChartBand, ChartLine, percent } from '../../../../components/ChartMarks.tsx';
import { ChartReader } from '../../../../components/ChartReader.tsx';
import type { Elements } from '../../../../components/elements.ts';
import { formatCompact, formatNumber } from '../../../../components/format-number.ts';
import { dateFormat, userTimeZone } from '../../../../dates/zone.ts';
import { chartMaximum, chartTicks, describeSlot, formatSlot, type Slot, unitOf } from './slots.ts';

interface UsageChartProps {
  slots: Slot[];
  range: UsageRange;
  /** Of the times and days. */
  zone: string;
  /** A text alternative for the bars. */
  summary: string;
  /** Epoch ms. */
  revokedAt: number | null;
  head: Elements;
  /** Follows the name of the time zone. */
  note?: string;
  children?: Elements;
}

/** Bars of accepted requests with the rejected ones on top. Pointing at a bar shows its numbers. */
export function UsageChart({
  slots,
  range,
  zone,
  summary,
  revokedAt,
  head,
  note = '',
  children,
}: UsageChartProps) {
  const [shown, setShown] = useState<number | null>(null);
  const last = slots.length - 1;
  const index = Math.min(shown ?? last, last);
  const slot = shown === null ? undefined : slots[index];
  const top = chartMaximum(slots);
  const empty = slots.every(({ accepted, refused }) => accepted + refused === 0);

  return (
    <ChartFrame
      head={head}
      readout={slot ? <Numbers slot={slot} range={range} zone={zone} /> : `${zoneNote(range, zone)}${note}`}
      scale={empty ? undefined : [top, top / 2, 0]}
      ticks={<Ticks slots={slots} range={range} zone={zone} />}
    >
      <svg className="chart__bars" role="img" aria-label={summary}>
        {slot ? <ChartBand index={index} count={slots.length} /> : null}
        <Bars slots={slots} top={top} />
        <RevokedLine slots={slots} at={revokedAt} />
      </svg>
      <ChartReader
        label={`Requests of one ${unitOf(range)}`}
        valueText={slots[index] ? describeSlot(slots[index], range, zone) : undefined}
        index={index}
        count={slots.length}
        onRead={setShown}
      />
      {children}
    </ChartFrame>
  );
}

interface ChartFrameProps {
  head: Elements;
  readout?: ReactNode;
  scale?: number[] | undefined;
  ticks?: ReactNode;
  children?: ReactNode;
}

const noScale = [2, 1, 0];

/** The chart without its bars. Shown in the same size while the numbers are loading. */
export function ChartFrame({ head, readout = '', scale, ticks, children }: ChartFrameProps) {
  return (
    <div className="chart">
      <div className="chart__head">
        {head}
        <p className="chart__readout">{readout}</p>
      </div>
      <div className="chart__scale" aria-hidden>
        {(scale ?? noScale).map((value) => (
          <span key={value}>{scale ? formatCompact(value) : ''}</span>
        ))}
      </div>
      <div className="chart__plot">{children}</div>
      <div className="chart__ticks" aria-hidden>
        {ticks}
      </div>
    </div>
  );
}

function zoneNote(range: UsageRange, zone: string): string {
  const unit = unitOf(range) === 'day' ? 'Days' : 'Times';
  if (zone === userTimeZone) return `${unit} are in your time zone, ${zone}.`;
  const name = dateFormat(zone, { timeZoneName: 'short' }, 'en').formatToParts(0).at(-1)?.value;
  return `${unit} are in ${name}, because the server does not know your time zone, ${userTimeZone}.`;
}

function Numbers({ slot, range, zone }: { slot: Slot; range: UsageRange; zone: string }) {
  return (
    <span>
      <span>{`${formatSlot(slot, range, zone)}:`}</span> <strong>{formatNumber(slot.accepted)}</strong>{' '}
      accepted, <strong>{formatNumber(slot.refused)}</strong> rejected
    </span>
  );
}

/** As a share of the slot's width; the rest is the gap to the next bar. */
const barWidth = 0.78;

/** As a share of the plot's height, so that a single request among thousands stays visible. */
const minHeight = 0.015;

/** All sizes are percentages, so that nothing has to be measured and the layout does not shift on resize. */
const Bars = memo(function Bars({ slots, top }: { slots: Slot[]; top: number }) {
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(count / top, minHeight));
  return slots.map(({ from, accepted, refused }, index) => {
    const x = percent((index + (1 - barWidth) / 2) / slots.length);
    const width = percent(barWidth / slots.length);
    const [good, bad] = [heightOf(accepted), heightOf(refused)];
    return (
      <g key={from}>
        {accepted > 0 ? (
          <rect
            className="chart__accepted"
            x={x}
            width={width}
            y={percent(1 - good)}
            height={percent(good)}
          />
        ) : null}
        {refused > 0 ? (
          <rect
            className="chart__refused"
            x={x}
            width={width}
            y={percent(Math.max(1 - good - bad, 0))}
            height={percent(bad)}
          />
        ) : null}
      </g>
    );
  });
});

/** Marks when the key was revoked, if that is within the range. */
function RevokedLine({ slots, at }: { slots: Slot[]; at: number | null }) {
  const index = slots.findIndex(({ from, to }) => at !== null && at >= from && at < to);
  const slot = slots[index];
  if (!slot || at === null) return null;
  const share = (index + (at - slot.from) / (slot.to - slot.from)) / slots.length;
  return (
    <ChartLine share={share} turnsAt={0.75} lineClass="chart__revoked" labelClass="chart__mark">
      Revoked
    </ChartLine>
  );
}

function Ticks({ slots, range, zone }: { slots: Slot[]; range: UsageRange; zone: string }) {
  // The label of a day is centered below its bar; the label of an hour is at the start of the hour.
  const shift = unitOf(range) === 'day' ? 0.5 : 0;
  return (
    <>
      {chartTicks(slots, range, zone).map(({ slot, label }) => (
        <span key={slot} className="chart__tick" style={place((slot + shift) / slots.length)}>
          {label}
        </span>
      ))}
    </>
  );
}

/** Centered on its position, but within the edges of the plot. */
function place(share: number): CSSProperties {
  if (share > 0.96) return { insetInlineEnd: 0, translate: 0 };
  return { insetInlineStart: percent(share), ...(share < 0.02 ? { translate: 0 } : {}) };
}
