// Prevents behavior that holds on only one of the two databases: all tests run on SQLite, and those that depend on the
// database run again on PostgreSQL. With --long, only the randomized tests run, with far more cases, and the tests that
// take minutes.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { globalSetup, globalTeardown } from '../test/support/for-all.ts';
import { failureOf } from './child.mjs';

const units = ['packages/*/src/**/*.test.ts'];
const wholes = ['test/**/*.test.ts'];
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
/** Tests that run more cases with SOKU_TEST_LONG (test/support/long.ts), and tests that run only then. */
const long = [
  'test/**/*.long.ts',
  'test/contract/{list,names}.test.ts',
  'test/endurance/*.test.ts',
  'test/gateway/streaming.test.ts',
  'test/proxies/*.test.ts',
  'test/simulation/*.test.ts',
];

// Without the cache, each of 150 processes strips the types of the same files again.
const compileCache = fileURLToPath(new URL('../node_modules/.cache/soku-tests', import.meta.url));
const isLong = process.argv.includes('--long');
const more = process.argv.slice(2).filter((argument) => argument !== '--long');

/** One process for all unit tests, because starting a process takes longer than most of them. */
const inOneProcess = ['--test-isolation=none'];
const withProcesses = (count) => [`--test-concurrency=${count}`];

await globalSetup();
// The first run prints its results immediately, the others when they end. Together they keep two cores busy.
const codes = isLong
  ? [
      await run('SQLite', 'sqlite', [...withProcesses(1), ...long], 'inherit'),
      await run('SQLite, units', 'sqlite', [...inOneProcess, ...units], 'inherit'),
      await run('PostgreSQL', 'postgres', [...withProcesses(1), 'test/endurance/kill.test.ts'], 'inherit'),
    ]
  : await Promise.all([
      run('SQLite', 'sqlite', [...withProcesses(2), ...wholes], 'inherit'),
      run('SQLite, units', 'sqlite', [...inOneProcess, ...units], 'pipe'),
      run('PostgreSQL', 'postgres', [...withProcesses(1), ...onBoth], 'pipe'),
    ]);
await globalTeardown();
process.exitCode = codes.find((code) => code !== 0) ?? 0;

/**
 * @param {string} name
 * @param {'sqlite' | 'postgres'} database
 * @param {string[]} what flags and files
 * @param {'inherit' | 'pipe'} output
 * @returns {Promise<number>} the exit code
 */
function run(name, database, what, output) {
  const env = {
    NODE_COMPILE_CACHE: compileCache,
    ...process.env,
    SOKU_TEST_DATABASE: database,
    ...(isLong ? { SOKU_TEST_LONG: 'yes' } : {}),
  };
  const child = spawn(process.execPath, ['--test', ...more, ...what], {
    stdio: ['ignore', output, output],
    env,
  });
  if (output === 'inherit') console.log(`\nTests on ${name}`);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
  }
  return new Promise((resolve) => {
    child.once('close', (status, signal) => {
      if (output === 'pipe') console.log(`\nTests on ${name}\n${printed}`);
      const failure = failureOf({ status, signal });
      if (failure !== null) console.error(`The tests on ${name} failed (${failure.reason}).`);
      resolve(failure?.code ?? 0);
    });
  });
}
