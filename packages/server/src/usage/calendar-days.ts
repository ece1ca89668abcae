/** The longest days have 25 hours; a change of a zone by a whole day, as in Samoa in 2011, skips one. */
const usualDay = 24;

/**
 * The hours at which the last calendar days of a time zone begin: the first UTC hour that begins in each.
 *
 * @param current the current hour, in epoch hours
 * @param zone IANA name
 * @returns epoch hours, oldest first
 */
export function calendarDays(current: number, days: number, zone: string): number[] {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  const dayOf = (hour: number) => format.format(hour * 3_600_000);
  const starts: number[] = [];
  let hour = current;
  while (starts.length < days) {
    const day = dayOf(hour);
    // A guess, which is right unless clocks change, or it is today.
    let start = starts.length === 0 ? hour : hour + 1 - usualDay;
    while (dayOf(start) !== day) start += 1;
    while (dayOf(start - 1) === day) start -= 1;
    starts.push(start);
    hour = start - 1;
  }
  return starts.reverse();
}
