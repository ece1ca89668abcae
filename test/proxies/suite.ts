import { after, before, test } from 'node:test';
import { debianProgram, type Program } from '../support/debian.ts';
import { testPage } from './page.ts';
import { testPassing } from './passing.ts';
import type { Recipe } from './proxy.ts';
import { testRefusing } from './refusing.ts';
import { testRevoking } from './revoking.ts';
import { Scene } from './scene.ts';
import { testWithoutSoku } from './without-soku.ts';

/**
 * Tests a real proxy, with the documented configuration, against everything that its page promises.
 *
 * @param testOwn defines the tests that only this proxy has
 */
export function describeProxy(
  recipe: Recipe,
  testOwn: (scene: () => Scene, program: Program) => void = () => undefined,
): void {
  const program = debianProgram(recipe.program, recipe.packages);
  if (typeof program === 'string') {
    test(`${recipe.program} in front of an API`, { skip: `skipped: ${program}` }, () => undefined);
    return;
  }
  let scene: Scene | undefined;
  const current = (): Scene => {
    if (scene === undefined) throw new Error('the proxy did not start');
    return scene;
  };
  before(async () => {
    scene = await Scene.start(recipe, program, { SOKU_KEY_RATE_LIMIT: '1000' });
  });
  after(async () => scene?.stop());

  testPage(recipe, program, current);
  testPassing(recipe, program, current);
  testRefusing(recipe, program, current);
  testRevoking(current);
  testWithoutSoku(recipe, program, current);
  testOwn(current, program);
}
