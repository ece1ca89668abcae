<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773
/** Usage is counted by the hour; an hour is a whole number of hours since 1970, UTC ("epoch hours"). */
import { msPerHour } from '@soku/contract/instant';
=======
/** Usage is counted by the hour. An hour is the number of hours since 1970, UTC ("epoch hours"). */
import { hourLength } from '@soku/contract/instant';
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc

/** @param now epoch ms */
export function hourOf(now: number): number {
  return Math.floor(now / msPerHour);
}

/** @returns the start of the hour in epoch ms */
export function startOf(hour: number): number {
  return hour * msPerHour;
}
