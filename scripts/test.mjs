// Prevents behavior that holds on only one of the two databases: all tests run on SQLite, and those that depend on the
// database run again on PostgreSQL. With --long, only the randomized tests run, with far more cases. With arguments for
// Node's test runner, such as --test-name-pattern=TEXT, each file has its own process.

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { globalSetup, globalTeardown } from '../test/support/global-setup.ts';
import { failureOf } from './child.mjs';

/** @typedef {{ name: string, database?: 'sqlite' | 'postgres', files: string[] }} Group */

/**
 * The files of a group run one after another in one process, because starting a process takes longer than many of them.
 * Groups run at the same time, the longest first, so that none is left alone at the end.
 *
 * @type {Group[]}
 */
const groups = [
  // In three groups, because together they would take longer than all others.
  { name: 'browser, P to Z', files: ['test/browser/[p-z]*.test.ts'] },
  { name: 'browser, K to O', files: ['test/browser/[k-o]*.test.ts'] },
  { name: 'backup and upgrade', files: ['test/{backup,upgrade}/*.test.ts'] },
  { name: 'contract', files: ['test/contract/*.test.ts'] },
  {
    name: 'contract on PostgreSQL',
    database: 'postgres',
    // Tests that depend on the database. Any other file runs there with SOKU_TEST_DATABASE=postgres node --test FILE;
    // test/endurance/key-leaks.test.ts is not in this list because it takes 12 s there.
    files: [
      'test/contract/{audit,audit-export,audit-rows,auth-library,descendants,error-codes,idempotency,import,import-bounds,keys,limit-settings}.test.ts',
      'test/contract/{limits,list,names,peer-checks,revoke-all,revoke-many,revoke-self,scope-catalog,security,sessions,tenancy,unstorable-text,usage,usage-history,verify-batch}.test.ts',
      'test/contract/{addresses,change-by-key,change-key,external-id,key-lifetime,webhook-commands,webhooks}.test.ts',
      'test/endurance/crash-recovery.test.ts',
      'test/startup/operator-import.test.ts',
      'test/life-of-a-key.test.ts',
    ],
  },
  { name: 'nodes and operations', files: ['test/{nodes,operations}/*.test.ts'] },
  { name: 'browser, A to J', files: ['test/browser/[a-j]*.test.ts'] },
  { name: 'units', files: ['packages/*/src/**/*.test.ts'] },
  { name: 'startup', files: ['test/startup/*.test.ts'] },
  { name: 'endurance', files: ['test/{endurance,simulation,torture}/*.test.ts'] },
  { name: 'proxies', files: ['test/proxies/*.test.ts'] },
  // Those that no other group has.
  { name: 'gateway and others', files: ['test/**/*.test.ts'] },
];

/**
 * Tests that run more cases with SOKU_TEST_LONG (test/support/run-count.ts).
 *
 * @type {Group[]}
 */
const longGroups = [
  {
    name: 'long',
    files: [
      'test/contract/{list,names,outgoing-secrecy}.test.ts',
      'test/deploy/{image,service}.test.ts',
      'test/endurance/*.test.ts',
      'test/gateway/streaming.test.ts',
      'test/nodes/{accounts,failover,idle-keys,webhooks}.test.ts',
      'test/operations/{gameday,rolling-restart}.test.ts',
      'test/proxies/*.test.ts',
      'test/simulation/*.test.ts',
      'test/torture/{rotations,torture}.test.ts',
      'packages/*/src/**/*.test.ts',
    ],
  },
  { name: 'long on PostgreSQL', database: 'postgres', files: ['test/endurance/crash-recovery.test.ts'] },
];

const isLong = process.argv.includes('--long');
const more = process.argv.slice(2).filter((argument) => argument !== '--long');
const inOneProcess = fileURLToPath(new URL('../test/support/in-one-process.ts', import.meta.url));
// Without the cache, each process strips the types of the same files again.
const compileCache = fileURLToPath(new URL('../node_modules/.cache/soku-tests', import.meta.url));

/** Long runs use all of the machine. Two more than it has cores, because tests wait, too. */
const concurrency = isLong ? 1 : availableParallelism() + 2;

await globalSetup();
/** @type {{ name: string, reason: string, code: number, details: string }[]} */
const failures = [];
const chosen = isLong ? longGroups : groups;
const waiting = [...chosen];
const next = async () => {
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) await run(group);
};
await Promise.all(Array.from({ length: concurrency }, next));
await globalTeardown();
// At the end, because services that run this keep or show only the last lines.
for (const { name, reason, details } of failures) {
  console.error(`\nThe tests of "${name}" failed (${reason}).\n${details}`);
}
process.exitCode = failures[0]?.code ?? 0;

/**
 * Runs a group, and prints its results when it ends, unless no other one can run at the same time.
 *
 * @param {Group} group
 */
async function run(group) {
  const { name, database = 'sqlite' } = group;
  const output = concurrency === 1 ? 'inherit' : 'pipe';
  if (output === 'inherit') console.log(`\nTests: ${name}`);
  const started = performance.now();
  const child = spawn(process.execPath, commandFor(pathsOf(group)), {
    stdio: ['ignore', output, output],
    env: {
      NODE_COMPILE_CACHE: compileCache,
      ...process.env,
      SOKU_TEST_DATABASE: database,
      ...(isLong ? { SOKU_TEST_LONG: 'yes' } : {}),
    },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
  }
  const { promise, resolve } = Promise.withResolvers();
  child.once('close', (status, signal) => resolve({ status, signal }));
  const failure = failureOf(await promise);
  if (failure !== null) failures.push({ name, ...failure, details: failuresIn(printed) });
  const seconds = Math.round((performance.now() - started) / 1000);
  if (output === 'pipe') console.log(`\nTests: ${name} (${seconds} s)\n${printed}`);
}

/**
 * The part of the output of Node's test runner that lists the failed tests, or the last lines if a process has crashed.
 *
 * @param {string} printed
 */
function failuresIn(printed) {
  const start = printed.lastIndexOf('✖ failing tests:');
  return start === -1 ? printed.split('\n').slice(-30).join('\n') : printed.slice(start);
}

/**
 * The files of a group, without those that an earlier group runs on the same database.
 *
 * @param {Group} group
 */
function pathsOf({ name, database, files }) {
  const earlier = chosen.slice(
    0,
    chosen.findIndex((other) => other.name === name),
  );
  const taken = earlier
    .filter((other) => other.database === database)
    .flatMap((other) => globSync(other.files));
  return globSync(files)
    .filter((path) => !taken.includes(path))
    .sort();
}

/** @param {string[]} paths of test files */
function commandFor(paths) {
  if (more.length > 0 || isLong) return ['--test', '--test-concurrency=1', ...more, ...paths];
  return [inOneProcess, ...paths];
}
