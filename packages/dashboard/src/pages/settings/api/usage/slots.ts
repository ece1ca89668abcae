/** What one bar of the chart stands for, and the words for it. All times are in the reader's zone. */
import type { Usage } from '@soku/server/usage-schemas';
import type { UsageRange } from '../../../../api/usage.ts';

export interface Slot {
  /** Epoch ms of its first hour. */
  from: number;
  /** Epoch ms of the end of its last hour; not included. */
  to: number;
  accepted: number;
  refused: number;
}

export interface Tick {
  /** Index of the slot at whose start it stands. */
  slot: number;
  label: string;
}

const hourLength = 3_600_000;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' });
const monthDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });

export const rangeWords: Record<UsageRange, string> = {
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
};

const number = (value: number) => value.toLocaleString('en');

/** One hour each; over 30 days one day each, because 720 bars are more than a screen has room for. */
export function slotsOf(hours: Usage['hours'], range: UsageRange): Slot[] {
  const slots: Slot[] = [];
  let currentDay = '';
  for (const { hour, accepted, refused } of hours) {
    const from = Date.parse(hour);
    const day = new Date(from).toDateString();
    const last = slots.at(-1);
    if (range === '30d' && last && day === currentDay) {
      last.to = from + hourLength;
      last.accepted += accepted;
      last.refused += refused;
    } else {
      slots.push({ from, to: from + hourLength, accepted, refused });
    }
    currentDay = day;
  }
  return slots;
}

/** "Tue 3 Mar, 14:00–15:00", or the day alone. */
export function slotName(slot: Slot, range: UsageRange): string {
  if (range === '30d') return longDay.format(slot.from);
  return `${longDay.format(slot.from)}, ${clock.format(slot.from)}–${clock.format(slot.to)}`;
}

/** "Tue 3 Mar, 14:00–15:00: 12 accepted, 1 refused" */
export function numbersOf(slot: Slot, range: UsageRange): string {
  return `${slotName(slot, range)}: ${number(slot.accepted)} accepted, ${number(slot.refused)} refused`;
}

/** Every sixth hour, every midnight, or every seventh day back from today. */
export function ticksOf(slots: Slot[], range: UsageRange): Tick[] {
  const ticks: Tick[] = [];
  for (const [index, { from }] of slots.entries()) {
    const hour = new Date(from).getHours();
    if (range === '24h' && hour % 6 === 0) ticks.push({ slot: index, label: clock.format(from) });
    if (range === '7d' && hour === 0) ticks.push({ slot: index, label: weekday.format(from) });
    if (range === '30d' && (slots.length - 1 - index) % 7 === 0) {
      ticks.push({ slot: index, label: monthDay.format(from) });
    }
  }
  return ticks;
}

/** The top of the scale: one of 2, 4, 6, 8, 10, 20, 40 ..., so that its half is a whole number, too. */
export function scaleOf(slots: Slot[]): number {
  const most = Math.max(0, ...slots.map(({ accepted, refused }) => accepted + refused));
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const tops = [1, 2, 4, 6, 8, 10].map((step) => step * magnitude);
  return tops.find((top) => top >= most && top % 2 === 0) ?? 2;
}

/** The whole chart in words. */
export function summaryOf(slots: Slot[], range: UsageRange): string {
  const accepted = slots.reduce((sum, slot) => sum + slot.accepted, 0);
  const refused = slots.reduce((sum, slot) => sum + slot.refused, 0);
  const summary = `Requests in the last ${rangeWords[range]}: ${number(accepted)} accepted, ${number(refused)} refused.`;
  const busiest = slots.reduce<Slot | undefined>(
    (most, slot) => (most && most.accepted + most.refused >= slot.accepted + slot.refused ? most : slot),
    undefined,
  );
  if (!busiest || accepted + refused === 0) return summary;
  return `${summary} Most in ${range === '30d' ? 'one day' : 'one hour'}: ${number(busiest.accepted + busiest.refused)}, ${slotName(busiest, range)}.`;
}
