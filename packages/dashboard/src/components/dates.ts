const steps: Array<[Intl.RelativeTimeFormatUnit, number]> = [
  ['year', 365 * 24 * 3600],
  ['month', 30 * 24 * 3600],
  ['week', 7 * 24 * 3600],
  ['day', 24 * 3600],
  ['hour', 3600],
  ['minute', 60],
];

// The pages are in English; only the order of day, month and hour follows the reader.
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

export function relativeTime(at: string, now = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1000;
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? 'in a moment' : 'just now';
}

/** To the second below a minute, for what brings itself up to date. */
export function freshTime(at: string, now = Date.now()): string {
  const seconds = Math.max(1, Math.round((now - Date.parse(at)) / 1000));
  return seconds < 60 ? relative.format(-seconds, 'second') : relativeTime(at, now);
}

export function exactTime(at: string): string {
  return exact.format(new Date(at));
}

export function dayOf(at: string): string {
  return day.format(new Date(at));
}

export function utcTime(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
