/** Usage is counted by the hour; an hour is a whole number of hours since 1970, UTC ("epoch hours"). */
import { msPerHour } from '@soku/contract/instant';

/** @param now epoch ms */
export function hourOf(now: number): number {
  return Math.floor(now / msPerHour);
}

/** @returns epoch ms of its first moment */
export function startOf(hour: number): number {
  return hour * msPerHour;
}
