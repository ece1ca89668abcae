/**
 * How often a test of chance goes on: `npm test` takes what finds a mistake in most runs, and `npm run test:long` far more.
 *
 * @param long in the long run
 */
export function times(usual: number, long: number): number {
  return process.env.SOKU_TEST_LONG === 'yes' ? long : usual;
}
