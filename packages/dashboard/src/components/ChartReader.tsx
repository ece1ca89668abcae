import './ChartReader.css';
import type { PointerEvent } from 'react';

interface ChartReaderProps {
  label: string;
  /** Describes the bar at `index`. */
  valueText: string | undefined;
  index: number;
  /** The number of bars. */
  count: number;
  /** Called with the bar whose numbers are to be shown, or null for none. */
  onRead: (index: number | null) => void;
}

/**
 * Covers the bars of a chart. Pointing at a bar, or moving through the bars with the arrow keys, reads its numbers. It
 * is a slider, which works with keyboards, touch and screen readers.
 */
export function ChartReader({ label, valueText, index, count, onRead }: ChartReaderProps) {
  const point = (event: PointerEvent<HTMLInputElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const place = Math.floor(((event.clientX - left) / width) * count);
    onRead(Math.min(Math.max(place, 0), count - 1));
  };
  return (
    <input
      type="range"
      className="chart-reader"
      aria-label={label}
      aria-valuetext={valueText}
      min={0}
      max={count - 1}
      value={index}
      onChange={(event) => onRead(Number(event.target.value))}
      onPointerMove={point}
      onPointerLeave={(event) => onRead(isReadByKeyboard(event.currentTarget) ? index : null)}
      onFocus={(event) => onRead(isReadByKeyboard(event.currentTarget) ? index : null)}
      onBlur={() => onRead(null)}
    />
  );
}

function isReadByKeyboard(slider: HTMLInputElement): boolean {
  return slider.matches(':focus-visible');
}
