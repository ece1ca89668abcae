import { msPerDay } from '@soku/contract/instant';
import { exactTime, utcTime } from '../../../dates/dates.ts';
import { dateFormat, localTimeAsUtc, toInstants, userTimeZone } from '../../../dates/zone.ts';

interface Lifetime {
  value: string;
  name: string;
}

/** Days are 24 hours. */
const lifetimes = [
  { days: 30, name: '30 days' },
  { days: 90, name: '90 days' },
  { days: 365, name: '1 year' },
];

/**
 * The lifetimes that the form offers, the default first. A custom time is in the user's time zone.
 *
 * @param maxDays the maximum of the workspace; null: none
 * @param required whether keys of the workspace must expire
 */
export function offeredLifetimes(maxDays: number | null, required: boolean): [Lifetime, ...Lifetime[]] {
  const end = maxDays ?? (required ? 365 : Number.POSITIVE_INFINITY);
  const shorter = lifetimes.filter(({ days }) => days < end);
  return [
    longestLifetime(maxDays, required),
    ...shorter.map(({ days, name }) => ({ value: String(days), name })),
    { value: 'custom', name: 'Custom date and time…' },
  ];
}

function longestLifetime(maxDays: number | null, required: boolean): Lifetime {
  if (maxDays === null)
    return required ? { value: '365', name: '1 year' } : { value: 'never', name: 'Never' };
  return { value: String(maxDays), name: `${maxDays === 1 ? '1 day' : `${maxDays} days`} (the maximum)` };
}

/** The last instant with a four-digit year in UTC, the format of the API. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The instant for the API (null: never), or a problem with the custom time that the form shows. */
export type Expiry = { at: string | null; twice: boolean; problem?: undefined } | { problem: string };

export function parseExpiry(choice: string, custom: string, now = Date.now(), zone = userTimeZone): Expiry {
  if (choice === 'custom') return customExpiry(custom, now, zone);
  const days = Number(choice);
  const at = Number.isInteger(days) ? new Date(now + days * msPerDay).toISOString() : null;
  return { at, twice: false };
}

function customExpiry(custom: string, now: number, zone: string): Expiry {
  const digits = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(custom)?.slice(1).map(Number);
  if (!digits) return { problem: 'Choose a date and time.' };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = digits;
  if (year > 9999) return { problem: 'Choose a year up to 9999.' };
  if (year < 1000) return { problem: 'Enter the year with four digits, such as 2030.' };
  const local = { year, month, day, hour, minute };
  const instants = toInstants(local, zone);
  if (instants.length === 0) {
    const time = custom.slice(11, 16);
    const date = dateFormat('UTC', { dateStyle: 'medium' }).format(localTimeAsUtc(local));
    return {
      problem: `${time} does not exist on ${date}, when clocks go forward. Choose another time.`,
    };
  }
  // An hour that occurs twice means the first one, unless that has already passed.
  const at = instants.find((instant) => instant > now);
  if (at === undefined) return { problem: 'This time has passed.' };
  if (at > lastInstant) return { problem: 'Choose a time before the end of 9999 (UTC).' };
  return { at: new Date(at).toISOString(), twice: instants.length > 1 && at === instants[0] };
}

/** Explains the current choice. */
export function describeExpiry(
  choice: string,
  custom: string,
  now = Date.now(),
  zone = userTimeZone,
): string {
  const expiry = parseExpiry(choice, custom, now, zone);
  if (expiry.problem !== undefined) return `Enter the time in your time zone, ${zone}.`;
  if (expiry.at === null) return 'The key works until you revoke it.';
  const at = exactTime(expiry.at, zone);
  if (choice !== 'custom') return `The key expires on ${at}.`;
  const which = expiry.twice ? ' This time occurs twice; the first one is used.' : '';
  return `The key expires on ${at} (${utcTime(expiry.at)}).${which}`;
}

/** Formats a Date for <input type="datetime-local">. */
export function toDateTimeInput(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
