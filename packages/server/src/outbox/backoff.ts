/** The part of a delay that is added at most. */
export const jitter = 0.1;

/**
 * The time of the next attempt after a failed one. Up to a tenth is added at random, so that a recipient that fails many
 * attempts at once does not get all of them again at once.
 *
 * @param delays ms between the end of an attempt and the next one
 * @param attempts attempts so far
 * @param now epoch ms
 * @param random from 0 to 1
 * @returns epoch ms; null: no attempt is left
 */
export function nextAttemptAt(
  delays: readonly number[],
  attempts: number,
  now: number,
  random: number = Math.random(),
): number | null {
  const delay = delays[attempts - 1];
  return delay === undefined ? null : Math.round(now + delay * (1 + random * jitter));
}
