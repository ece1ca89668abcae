// Prevents behavior that holds on only one of the two databases: all tests run on SQLite, and those that depend on the
// database run again on PostgreSQL.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { failureOf } from './child.mjs';

const everything = ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'];
/**
 * Tests that depend on the database and run on both. To run another file on PostgreSQL, use
 * SOKU_TEST_DATABASE=postgres node --test FILE. test/endurance/raw-key-nowhere.test.ts is not in this list because it
 * takes 12 s there.
 */
const onBoth = [
  'test/contract/{audit,audit-export,audit-rows,descendants,error-codes,idempotency,keys,limit-settings}.test.ts',
  'test/contract/{limits,list,names,security,sessions,sign-in,tenancy,unstorable-text,usage}.test.ts',
  'test/endurance/kill.test.ts',
  'test/life-of-a-key.test.ts',
];

const compileCache = fileURLToPath(new URL('../node_modules/.cache/soku-tests', import.meta.url));
const flags = ['--test', '--test-concurrency=3', '--test-global-setup=test/support/for-all.ts'];

const codes = [run('SQLite', 'sqlite', everything), run('PostgreSQL', 'postgres', onBoth)];
process.exitCode = codes.find((code) => code !== 0) ?? 0;

/**
 * @param {string} name
 * @param {'sqlite' | 'postgres'} database
 * @param {string[]} files
 * @returns {number} the exit code
 */
function run(name, database, files) {
  console.log(`\nTests on ${name}`);
  // Without the cache, each of 200 processes strips the types of the same files again.
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env, SOKU_TEST_DATABASE: database };
  const result = spawnSync(process.execPath, [...flags, ...process.argv.slice(2), ...files], {
    stdio: 'inherit',
    env,
  });
  const failure = failureOf(result);
  if (failure !== null) console.error(`The tests on ${name} failed (${failure.reason}).`);
  return failure?.code ?? 0;
}
