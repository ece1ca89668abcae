import { exactTime, utcTime } from '../../../dates/dates.ts';
import { formatIn, instantsOf, readerZone, wallClock } from '../../../dates/zone.ts';

/** How long a new key may live, as the form offers it. Days are 24 hours; a custom time is in the reader's zone. */
export const lifetimes = [
  { value: 'never', name: 'Never' },
  { value: '30', name: '30 days' },
  { value: '90', name: '90 days' },
  { value: '365', name: '1 year' },
  { value: 'custom', name: 'At a date and time…' },
];

const dayLength = 24 * 3600 * 1000;
/** The last instant whose year has four digits in UTC, which is how the API writes it. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The instant for the API (null: never), or what is wrong with the custom time, in words for whoever typed it. */
export type Expiry = { at: string | null; twice: boolean; problem?: undefined } | { problem: string };

export function expiryOf(choice: string, custom: string, now = Date.now(), zone = readerZone): Expiry {
  if (choice === 'custom') return customExpiry(custom, now, zone);
  const days = Number(choice);
  const at = Number.isInteger(days) ? new Date(now + days * dayLength).toISOString() : null;
  return { at, twice: false };
}

function customExpiry(custom: string, now: number, zone: string): Expiry {
  const digits = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(custom)?.slice(1).map(Number);
  if (!digits) return { problem: 'Choose a date and a time.' };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = digits;
  if (year > 9999) return { problem: 'Choose a year up to 9999.' };
  if (year < 1000) return { problem: 'Enter the year with four digits, such as 2030.' };
  const local = { year, month, day, hour, minute };
  const instants = instantsOf(local, zone);
  if (instants.length === 0) {
    const time = custom.slice(11, 16);
    const date = formatIn('UTC', { dateStyle: 'medium' }).format(wallClock(local));
    return {
      problem: `${time} does not exist on ${date}: the clocks go forward over it. Choose another time.`,
    };
  }
  // The hour that comes twice means its first time, while that is still to come.
  const at = instants.find((instant) => instant > now);
  if (at === undefined) return { problem: 'This time has passed.' };
  if (at > lastInstant) return { problem: 'Choose a time before the end of the year 9999 in UTC.' };
  return { at: new Date(at).toISOString(), twice: instants.length > 1 && at === instants[0] };
}

/** What a choice means, while it is made. */
export function expiryInWords(choice: string, custom: string, now = Date.now(), zone = readerZone): string {
  const expiry = expiryOf(choice, custom, now, zone);
  if (expiry.problem !== undefined) return `In your time zone, ${zone}.`;
  if (expiry.at === null) return 'The key works until you revoke it.';
  const at = exactTime(expiry.at, zone);
  if (choice !== 'custom') return `Refused from ${at} on.`;
  const which = expiry.twice ? ' This time comes twice that night: the first one counts.' : '';
  return `Refused from ${at} on (${utcTime(expiry.at)}).${which}`;
}

/** A Date in the form that <input type="datetime-local"> wants. */
export function localInput(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
