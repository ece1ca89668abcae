/**
 * Returns the number of cases of a randomized test: `npm test` runs enough to find most bugs, and `npm run test:long`
 * far more.
 *
 * @param usual for `npm test`
 * @param long for `npm run test:long`
 */
export function runCount(usual: number, long: number): number {
  return process.env.SOKU_TEST_LONG === 'yes' ? long : usual;
}
