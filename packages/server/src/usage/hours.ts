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

/**
 * The step of the last use, in ms: it is written at most once per step, and lists compare only the step. A shorter step
 * would write more often; a longer one would sort less exactly. The triggers of migration 0014 use the same number.
 */
export const lastUseStepMs = 300_000;

/** Whether two times of an hour, in ms from its start, are in the same step. */
export function isSameUseStep(one: number, other: number): boolean {
  return Math.floor(one / lastUseStepMs) === Math.floor(other / lastUseStepMs);
}
