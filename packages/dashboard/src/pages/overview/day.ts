/** The numbers of the chart of today and yesterday. */
import { msPerHour } from '@soku/contract/instant';
import type { WorkspaceUsage } from '@soku/contract/usage';
import { formatNumber } from '../../components/format-number.ts';
import { dateFormat, userTimeZone } from '../../dates/zone.ts';

/** One hour of today, which may be in the future, and the same hour of yesterday. */
export interface DayHour {
  /** Epoch ms. */
  from: number;
  /** Undefined for an hour in the future. */
  today: Counts | undefined;
  yesterday: Counts;
}

interface Counts {
  accepted: number;
  refused: number;
}

const none: Counts = { accepted: 0, refused: 0 };

/** 24 hours, or 25 on the day on which daylight saving time ends. */
export function dayHours({ today, yesterday }: WorkspaceUsage): DayHour[] {
  const start = Date.parse(today.from);
  return Array.from({ length: Math.max(24, today.hours.length) }, (_, index) => ({
    from: start + index * msPerHour,
    today: today.hours[index],
    yesterday: yesterday.hours[index] ?? none,
  }));
}

const sum = ({ accepted, refused }: Counts) => accepted + refused;

/**
 * The requests of yesterday until this time of the day. Usage is counted by hour, so the requests of the current hour
 * are assumed to be spread evenly.
 */
export function yesterdaySoFar(hours: DayHour[], now: number): number {
  const counts = hours.map(({ from, yesterday }) => {
    const share = Math.min(Math.max((now - from) / msPerHour, 0), 1);
    return sum(yesterday) * share;
  });
  return Math.round(counts.reduce((total, count) => total + count, 0));
}

/** Continues the sentence that begins with the number of requests: "8% more than yesterday by this time". */
export function compareDays(today: number, yesterday: number): string {
  if (yesterday === 0) return today === 0 ? 'today' : 'today, and none yesterday by this time';
  if (today === 0) return `today, and ${formatNumber(yesterday)} yesterday by this time`;
  const ratio = today / yesterday;
  // There were some requests, so never "100% fewer".
  const percent = Math.max(Math.round((ratio - 1) * 100), -99);
  if (percent === 0) return 'the same as yesterday by this time';
  // "1,900% more" is harder to read than "20 times as many".
  if (ratio >= 5) return `${formatNumber(Math.round(ratio))} times as many as yesterday by this time`;
  return `${Math.abs(percent)}% ${percent > 0 ? 'more' : 'fewer'} than yesterday by this time`;
}

/** The top of a scale with four equal steps of whole numbers. */
export function axisMaximum(most: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const tops = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10, 12].map((step) => Math.round(step * magnitude));
  return tops.find((top) => top >= most && top % 4 === 0) ?? 4;
}

/** `most`, rounded up to two digits. */
export function roundUp(most: number): number {
  const magnitude = 10 ** Math.max(Math.floor(Math.log10(Math.max(most, 1))) - 1, 0);
  return Math.ceil(most / magnitude) * magnitude;
}

const clock = { hour: '2-digit', minute: '2-digit' } as const;

export function formatClock(at: number, zone = userTimeZone): string {
  return dateFormat(zone, clock).format(at);
}

/** "13:00–14:00" */
export function formatHour({ from }: DayHour, zone = userTimeZone): string {
  return `${formatClock(from, zone)}–${formatClock(from + msPerHour, zone)}`;
}

/** "13:00–14:00: 93,214 accepted, 1,187 rejected, yesterday 86,002 and 12" */
export function describeHour(hour: DayHour): string {
  const yesterday = `${formatNumber(hour.yesterday.accepted)} accepted, ${formatNumber(hour.yesterday.refused)} rejected yesterday`;
  if (!hour.today) return `${formatHour(hour)}: ${yesterday}`;
  return `${formatHour(hour)}: ${formatNumber(hour.today.accepted)} accepted, ${formatNumber(hour.today.refused)} rejected; ${yesterday}`;
}
