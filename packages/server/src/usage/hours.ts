/** Usage is counted by the hour. An hour is the number of hours since 1970, UTC ("epoch hours"). */
import { msPerHour } from '@soku/contract/instant';

/** @param now epoch ms */
export function hourOf(now: number): number {
  return Math.floor(now / msPerHour);
}

/** @returns the start of the hour in epoch ms */
export function hourStart(hour: number): number {
  return hour * msPerHour;
}
