import { after, before, test } from 'node:test';
import { debianProgram, type Program } from '../support/debian.ts';
import { testAcceptedRequests } from './accepted-requests.ts';
import { ProxyFixture } from './fixture.ts';
import { testPage, testRequiredScopes } from './page.ts';
import type { Recipe } from './proxy.ts';
import { testRejections } from './rejections.ts';
import { testRevocation } from './revocation.ts';
import { testUnavailability } from './unavailability.ts';

/**
 * Tests everything that a proxy's page promises, with the real proxy and the documented configuration.
 *
 * @param testOwn defines the tests that only this proxy has
 */
export function describeProxy(
  recipe: Recipe,
  testOwn: (fixture: () => ProxyFixture, program: Program) => void = () => undefined,
): void {
  const program = debianProgram(recipe.program, recipe.packages);
  if (typeof program === 'string') {
    test(`${recipe.program} in front of an API`, { skip: `skipped: ${program}` }, () => undefined);
    return;
  }
  let fixture: ProxyFixture | undefined;
  const current = (): ProxyFixture => {
    if (fixture === undefined) throw new Error('the proxy did not start');
    return fixture;
  };
  before(async () => {
    fixture = await ProxyFixture.start(recipe, program, {
      SOKU_KEY_RATE_LIMIT: '1000',
      SOKU_TEST_KEY_PREFIX: 'sk_test_',
    });
  });
  after(async () => fixture?.stop());

  testPage(recipe, program, current);
  testRequiredScopes(recipe, program, current);
  testAcceptedRequests(recipe, program, current);
  testRejections(recipe, program, current);
  testRevocation(current);
  testUnavailability(recipe, program, current);
  testOwn(current, program);
}
