import './Countdown.css';
import { memo } from 'react';
import { countdown } from './rotation.ts';
import { useCurrentSecond } from './use-second.ts';

/** @param at epoch ms */
export function CountdownClock({ at }: { at: number }) {
  const now = useCurrentSecond();
  return (
    <p className="clock" role="timer">
      {countdown(at - now).map(({ unit, value }) => (
        <span key={unit}>
          <span translate="no">{value}</span>
          <small translate="no">{unit}</small>
        </span>
      ))}
    </p>
  );
}

/** Each is one share of the period: for 24 hours, a quarter of an hour, and every fourth one is longer. */
const teethCount = 96;
const pitch = 10;

interface CountdownBarProps {
  /** Epoch ms. */
  from: number;
  to: number;
  startLabel: string;
  endLabel: string;
}

/** What has passed of a period, drawn as the teeth of a key. */
export function CountdownBar({ from, to, startLabel, endLabel }: CountdownBarProps) {
  const now = useCurrentSecond();
  const gone = to > from ? Math.floor(((now - from) / (to - from)) * teethCount) : 0;
  return <Teeth gone={Math.min(Math.max(gone, 0), teethCount)} startLabel={startLabel} endLabel={endLabel} />;
}

/** The bar of a period that has not started. */
export function PendingCountdownBar({ startLabel, endLabel }: { startLabel: string; endLabel: string }) {
  return <Teeth gone={teethCount} startLabel={startLabel} endLabel={endLabel} />;
}

interface TeethProps {
  /** How many of them have passed. */
  gone: number;
  startLabel: string;
  endLabel: string;
}

const Teeth = memo(function Teeth({ gone, startLabel, endLabel }: TeethProps) {
  return (
    <div className="countdown">
      <svg viewBox={`0 0 ${teethCount * pitch} 20`} preserveAspectRatio="none" aria-hidden="true">
        <path className="countdown__gone" d={teeth(0, gone)} />
        <path className="countdown__left" d={teeth(gone, teethCount)} />
      </svg>
      <div className="countdown__scale">
        <span>{startLabel}</span>
        <span>{endLabel}</span>
      </div>
    </div>
  );
});

function teeth(from: number, to: number): string {
  const paths: string[] = [];
  for (let tooth = from; tooth < to; tooth++)
    paths.push(`M${tooth * pitch + 1} 0h8v${tooth % 4 === 0 ? 20 : 12}h-8Z`);
  return paths.join('');
}
