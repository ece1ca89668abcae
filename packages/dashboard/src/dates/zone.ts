/** Calendar and clock of a time zone, from the browser's data. Zones are IANA names, instants are epoch ms. */
import { msPerDay, msPerHour } from '@soku/contract/instant';

export const userTimeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export interface LocalTime {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns a formatter, by default in the user's locale. Formatters are cached because creating them is slow. */
export function dateFormat(
  zone: string,
  options: Intl.DateTimeFormatOptions,
  locale?: string,
): Intl.DateTimeFormat {
  const name = `${zone} ${locale} ${JSON.stringify(options)}`;
  const format = formats.get(name) ?? new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
  formats.set(name, format);
  return format;
}

export function localTime(at: number, zone: string): LocalTime {
  const format = dateFormat(
    zone,
    {
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      hourCycle: 'h23',
    },
    'en-US-u-ca-gregory-nu-latn',
  );
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  return { year, month, day, hour, minute };
}

/** Epoch milliseconds of the local time read as UTC. For years from 100 on. */
export function localTimeAsUtc({ year, month, day, hour, minute }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** Offset from UTC in milliseconds, positive east of it, in whole minutes. */
export function utcOffset(at: number, zone: string): number {
  return localTimeAsUtc(localTime(at, zone)) - Math.floor(at / 60_000) * 60_000;
}

/** The zone that has the current offset of another one, in whole hours, all year. Every program knows it. */
export function offsetZone(now: number, zone: string): string {
  const hours = Math.floor(utcOffset(now, zone) / msPerHour);
  return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
}

/** The calendar day as the number of days since January 1, 1970. Yesterday is always one less than today. */
export function dayNumber(at: number, zone: string): number {
  return Math.floor((at + utcOffset(at, zone)) / msPerDay);
}

/**
 * The instants at which local clocks show this time, earliest first: none in the hour that is skipped in spring, two in
 * the hour that occurs twice in fall.
 */
export function toInstants(local: LocalTime, zone: string): number[] {
  const wall = localTimeAsUtc(local);
  const offsets = new Set([wall - msPerDay, wall + msPerDay].map((at) => utcOffset(at, zone)));
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((at) => localTimeAsUtc(localTime(at, zone)) === wall)
    .sort((a, b) => a - b);
}

/**
 * The number of UTC hours, including the current one, that begin within the last calendar days, including the day in
 * which the current hour began. If the zone's offset is not in whole hours, the first one begins after midnight.
 */
export function hoursInDays(days: number, now: number, zone: string): number {
  const current = Math.floor(now / msPerHour);
  const first = dayNumber(current * msPerHour, zone) - days + 1;
  // No day has more than 25 hours, and no zone is more than 24 hours from UTC.
  let hour = current - days * 25 - 24;
  while (dayNumber(hour * msPerHour, zone) < first) hour += 1;
  return current - hour + 1;
}

/**
 * Start of the first UTC hour that begins within the current calendar day, in epoch ms. If there is none yet, because
 * the zone's offset is not in whole hours, it is the hour that contains midnight.
 */
export function startOfDay(now: number, zone: string): number {
  const current = now - (now % msPerHour);
  if (dayNumber(current, zone) !== dayNumber(now, zone)) return current;
  return current - (hoursInDays(1, now, zone) - 1) * msPerHour;
}
