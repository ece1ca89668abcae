/** Prevents randomized tests that no one runs with more cases: `npm run test:long` has a list of files. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const find = (pattern: string) => globSync(pattern, { cwd: root });
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The files that `file` imports by a relative path. */
const importsOf = (file: string) =>
  [...read(file).matchAll(/ from '(\.[^']+\.ts)'/g)].map(([, path = '']) => join(dirname(file), path));

test('npm run test:long runs each test file that has more cases in a long run', () => {
  const sources = [...find('test/**/*.ts'), ...find('packages/*/src/**/*.ts')];
  const long = new Set(sources.filter((file) => read(file).includes('SOKU_TEST_LONG')));
  assert.ok(long.has('test/support/run-count.ts'));
  // Also through files that are not tests.
  const importsOfEach = sources.map((file) => ({ file, imports: importsOf(file) }));
  for (let before = 0; before < long.size; ) {
    before = long.size;
    for (const { file, imports } of importsOfEach) if (imports.some((path) => long.has(path))) long.add(file);
  }
  const tests = [...long].filter((file) => file.endsWith('.test.ts'));
  assert.ok(tests.length > 40, `${tests.length} files`);

  const [, groups = ''] = /const longGroups = \[(.*?)^\];$/ms.exec(read('scripts/test.mjs')) ?? [];
  const run = new Set(
    [...groups.matchAll(/'([^'\n]+\/[^'\n]+)'/g)].flatMap(([, pattern = '']) => find(pattern)),
  );
  assert.deepEqual(
    tests.filter((file) => !run.has(file) && file !== 'test/long-run.test.ts'),
    [],
    'they are missing in longGroups of scripts/test.mjs',
  );
});
