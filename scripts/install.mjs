// Prevents a half-done install from being taken for a whole one, and npm's notes about Node (the packages want a
// newer one than the machine's, which is why they bring it) from being taken for an error.

import { spawnSync } from 'node:child_process';
import { rmSync, statSync, utimesSync } from 'node:fs';
import { failureOf } from './child.mjs';

/**
 * Installs exactly what package-lock.json names. Ends the process with npm's exit code when that fails.
 * @param {{ root: string, lockFile: string, installedLock: string }} paths
 */
export function install({ root, lockFile, installedLock }) {
  const start = performance.now();
  console.error('Installing the packages of package-lock.json (npm ci)...');
  // While it is missing the install counts as not done, so that one that is killed is done again.
  rmSync(installedLock, { force: true });
  const failure = failureOf(runNpm(root));
  if (failure !== null) {
    rmSync(installedLock, { force: true });
    console.error(
      `The packages could not be installed (npm ci: ${failure.reason}). The next start tries again.`,
    );
    process.exit(failure.code);
  }
  // A lock file from the future (a clock that was put back) would have every start install again.
  const now = new Date(Math.ceil(Math.max(Date.now(), statSync(lockFile).mtimeMs)));
  utimesSync(installedLock, now, now);
  console.error(`Installed in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

function runNpm(root) {
  // No package needs a script of its own, so none runs one: what is installed is what the lock file's hashes say.
  // The development packages also where NODE_ENV or the configuration omits them: one state of a checkout, whatever
  // command came first. The optional ones, because Node itself is one of them.
  const flags = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
    '--no-progress',
  ];
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] };
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  // The npm that started us, with its own Node: that of the packages is about to be deleted.
  if (npm !== undefined && node !== undefined) return spawnSync(node, [npm, ...flags], options);
  return spawnSync('npm', flags, { ...options, shell: process.platform === 'win32' });
}
