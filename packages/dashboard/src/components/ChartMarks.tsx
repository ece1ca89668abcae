import './ChartMarks.css';

/** A position or size in a chart. All are percentages, so that nothing has to be measured. */
export const percent = (share: number) => `${share * 100}%`;

/** Marks the bar whose numbers are shown. */
export function ChartBand({ index, count }: { index: number; count: number }) {
  return (
    <rect className="chart__band" x={percent(index / count)} width={percent(1 / count)} y="0" height="100%" />
  );
}

interface ChartLineProps {
  /** Where it is, as a share of the chart's width. */
  share: number;
  /** The label is to the left of a line beyond this share. */
  turnsAt: number;
  lineClass: string;
  labelClass: string;
  children: string;
}

/** A vertical line with a label at its top. */
export function ChartLine({ share, turnsAt, lineClass, labelClass, children }: ChartLineProps) {
  const x = percent(share);
  const toLeft = share > turnsAt;
  return (
    <>
      <line className={`chart-line ${lineClass}`} x1={x} x2={x} y1="0" y2="100%" />
      <text
        className={labelClass}
        x={x}
        y="1em"
        dx={toLeft ? '-0.5em' : '0.5em'}
        textAnchor={toLeft ? 'end' : 'start'}
      >
        {children}
      </text>
    </>
  );
}
