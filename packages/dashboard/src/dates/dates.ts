import { dateFormat, dayNumber, localTime, userTimeZone } from './zone.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

// The pages are in English. Only the format of dates follows the user's locale.
const relative = new Intl.RelativeTimeFormat('en');
const relativeDay = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/**
 * A relative time such as "3 days ago". Days, months and years are calendar units in the user's time zone: "yesterday"
 * is the day before today, even if that day had 25 hours. Never returns "next week", which is ambiguous.
 */
export function relativeTime(at: string, now = Date.now(), zone = userTimeZone): string {
  const then = Date.parse(at);
  const seconds = (then - now) / 1000;
  if (Math.abs(seconds) < minute) return seconds > 0 ? 'in a moment' : 'just now';
  if (Math.abs(seconds) < hour) return relative.format(Math.trunc(seconds / minute), 'minute');
  const days = dayNumber(then, zone) - dayNumber(now, zone);
  if (Math.abs(seconds) < day || days === 0) return relative.format(Math.trunc(seconds / hour), 'hour');
  const months = wholeMonths(now, then, zone);
  if (Math.abs(months) >= 12) return relative.format(Math.trunc(months / 12), 'year');
  if (months !== 0) return relative.format(months, 'month');
  if (Math.abs(days) >= 14) return relative.format(Math.trunc(days / 7), 'week');
  return relativeDay.format(days, 'day');
}

/** Full calendar months. From the 31st to the 30th of the next month is not a full month. */
function wholeMonths(from: number, to: number, zone: string): number {
  if (to < from) return 0 - wholeMonths(to, from, zone);
  const [a, b] = [localTime(from, zone), localTime(to, zone)];
  return (b.year - a.year) * 12 + b.month - a.month - (b.day < a.day ? 1 : 0);
}

/** Like relativeTime, but with seconds below a minute, for data that refreshes. */
export function relativeTimeWithSeconds(at: string, now = Date.now()): string {
  const seconds = Math.max(1, Math.round((now - Date.parse(at)) / 1000));
  return seconds < minute ? relative.format(-seconds, 'second') : relativeTime(at, now);
}

export function exactTime(at: string, zone = userTimeZone): string {
  return dateFormat(zone, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(at));
}

export function formatDay(at: string, zone = userTimeZone): string {
  return dateFormat(zone, { dateStyle: 'medium' }).format(new Date(at));
}

/** With the name of the weekday and of the month. */
export function formatFullDay(at: string, zone = userTimeZone): string {
  return dateFormat(zone, { dateStyle: 'full' }).format(new Date(at));
}

/** Includes the name of the time zone. */
export function formatTime(at: string, zone = userTimeZone): string {
  return dateFormat(zone, { timeStyle: 'long' }).format(new Date(at));
}

export function utcTime(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
