/** Usage is counted by the hour; an hour is a whole number of hours since 1970, UTC ("epoch hours"). */

/** In ms. */
export const hourLength = 3_600_000;

/** How long counts are kept, in hours: 90 days. */
export const keptHours = 90 * 24;

/** @param now epoch ms */
export function hourOf(now: number): number {
  return Math.floor(now / hourLength);
}

/** @returns epoch ms of its first moment */
export function startOf(hour: number): number {
  return hour * hourLength;
}
