/** The bars of the chart and their labels. Hours are in the user's time zone, and days in that of their numbers. */

import { msPerHour } from '@soku/contract/instant';
import type { UsageHistory } from '@soku/contract/usage-history';
import type { UsageRange } from '../../../../api/usage-history.ts';
import { formatNumber } from '../../../../components/format-number.ts';
import { dateFormat, dayNumber, localTime, userTimeZone, utcOffset } from '../../../../dates/zone.ts';

export interface Slot {
  /** Start of the first hour, in epoch ms. */
  from: number;
  /** End of the last hour, exclusive, in epoch ms. */
  to: number;
  accepted: number;
  refused: number;
}

export interface Tick {
  /** Index of the slot that starts at the tick. */
  slot: number;
  label: string;
}

const clock = { hour: '2-digit', minute: '2-digit' } as const;
const weekday = { weekday: 'short', day: 'numeric' } as const;
const monthDay = { day: 'numeric', month: 'short' } as const;
const longDay = { weekday: 'short', day: 'numeric', month: 'short' } as const;

export const rangeLabels: Record<UsageRange, string> = {
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** What a bar stands for: a screen has no room for 720 bars. */
export function unitOf(range: UsageRange): 'hour' | 'day' {
  return range === '24h' || range === '7d' ? 'hour' : 'day';
}

export function toSlots(periods: UsageHistory['periods']): Slot[] {
  return periods.map(({ from, to, accepted, refused }) => ({
    from: Date.parse(from),
    to: Date.parse(to),
    accepted,
    refused,
  }));
}

/** "Tue 3 Mar, 14:00–15:00", or only the day. Around a clock change, each time includes its offset. */
export function formatSlot({ from, to }: Slot, range: UsageRange, zone = userTimeZone): string {
  const day = dateFormat(zone, longDay).format(from);
  if (unitOf(range) === 'day') return day;
  const changes = utcOffset(from - msPerHour, zone) !== utcOffset(to + msPerHour, zone);
  const time = dateFormat(zone, changes ? { ...clock, timeZoneName: 'short' } : clock);
  return `${day}, ${time.format(from)}–${time.format(to)}`;
}

/** "Tue 3 Mar, 14:00–15:00: 12 accepted, 1 rejected" */
export function describeSlot(slot: Slot, range: UsageRange, zone = userTimeZone): string {
  return `${formatSlot(slot, range, zone)}: ${formatNumber(slot.accepted)} accepted, ${formatNumber(slot.refused)} rejected`;
}

/**
 * A tick at the start of each quarter of a day, of each day, or of every seventh or fourteenth day back from today,
 * depending on the range. If midnight is skipped, the tick is at the first hour after it; if it occurs twice, at the first one.
 */
export function chartTicks(slots: Slot[], range: UsageRange, zone = userTimeZone): Tick[] {
  if (unitOf(range) === 'day') {
    const label = dateFormat(zone, monthDay);
    const every = range === '30d' ? 7 : 14;
    return slots
      .map(({ from }, slot) => ({ slot, label: label.format(from) }))
      .filter(({ slot }) => (slots.length - 1 - slot) % every === 0);
  }
  const label = dateFormat(zone, range === '24h' ? clock : weekday);
  const periodOf = (at: number) =>
    range === '24h'
      ? dayNumber(at, zone) * 4 + Math.floor(localTime(at, zone).hour / 6)
      : dayNumber(at, zone);
  const ticks: Tick[] = [];
  let period = periodOf((slots[0]?.from ?? 0) - msPerHour);
  for (const [slot, { from }] of slots.entries()) {
    const next = periodOf(from);
    if (next > period) ticks.push({ slot, label: label.format(from) });
    period = Math.max(period, next);
  }
  return ticks;
}

/** The top of the scale: one of 2, 4, 6, 8, 10, 20, 40 ..., so that half of it is also a whole number. */
export function chartMaximum(slots: Slot[]): number {
  const most = Math.max(0, ...slots.map(({ accepted, refused }) => accepted + refused));
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const tops = [1, 2, 4, 6, 8, 10].map((step) => step * magnitude);
  return tops.find((top) => top >= most && top % 2 === 0) ?? 2;
}

/** A text alternative for the whole chart. */
export function summarizeUsage(slots: Slot[], range: UsageRange, zone = userTimeZone): string {
  const accepted = slots.reduce((sum, slot) => sum + slot.accepted, 0);
  const refused = slots.reduce((sum, slot) => sum + slot.refused, 0);
  const summary = `Requests in the last ${rangeLabels[range]}: ${formatNumber(accepted)} accepted, ${formatNumber(refused)} rejected.`;
  const busiest = slots.reduce<Slot | undefined>(
    (most, slot) => (most && most.accepted + most.refused >= slot.accepted + slot.refused ? most : slot),
    undefined,
  );
  if (!busiest || accepted + refused === 0) return summary;
  return `${summary} Busiest ${unitOf(range)}: ${formatNumber(busiest.accepted + busiest.refused)}, ${formatSlot(busiest, range, zone)}.`;
}
