/**
 * Runs test files one after another in this process, each as a suite:
 *
 *   node test/support/in-one-process.ts FILE...
 *
 * A test process takes about a second of CPU time before its first test. Node's own --test-isolation=none would load all
 * files before the first test, so that all their servers would run at the same time, and stop only at the end of the
 * run. Here the hooks of a file run when its tests have ended.
 */

import { resolve } from 'node:path';
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runManyFiles } from './end-of-run.ts';
import { killServers } from './server.ts';

const endRun = runManyFiles();
for (const file of process.argv.slice(2)) {
  // Tests and hooks belong to the suite whose function is running, here the import of their file.
  await describe(file, async () => {
    await import(pathToFileURL(resolve(file)).href);
  });
}
// Not a hook of the root suite: Node calls that as soon as no test is left to run, which is after the first file.
await endRun();
killServers();
