// Prevents an incomplete install from being treated as complete, and npm's notes about Node (the packages need a newer
// version than the machine's, which is why they include it) from looking like an error.

import { spawnSync } from 'node:child_process';
import { rmSync, statSync, utimesSync } from 'node:fs';
import { failureOf } from './child.mjs';

/**
 * Installs exactly what package-lock.json lists. If that fails, exits with npm's exit code.
 * @param {{ root: string, lockFile: string, installedLock: string }} paths
 */
export function install({ root, lockFile, installedLock }) {
  const start = performance.now();
  console.error('Installing the packages of package-lock.json (npm ci)...');
  // While this file is missing the install counts as incomplete, so an interrupted install is repeated.
  rmSync(installedLock, { force: true });
  const failure = failureOf(runNpm(root));
  if (failure !== null) {
    rmSync(installedLock, { force: true });
    console.error(`Failed to install the packages (npm ci: ${failure.reason}). The next start tries again.`);
    process.exit(failure.code);
  }
  // With a lock file from the future (after a clock was set back), every start would install again.
  const now = new Date(Math.ceil(Math.max(Date.now(), statSync(lockFile).mtimeMs)));
  utimesSync(installedLock, now, now);
  console.error(`Installed in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

function runNpm(root) {
  // No package needs an install script, so scripts are off and the installed files match the hashes of the lock file.
  // Development packages are always included, even if NODE_ENV or the configuration omits them, so that a checkout
  // has the same state whichever command ran first. Optional packages are included because Node itself is one of them.
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
  // Uses the npm that started this process, with its own Node, because the packaged Node is about to be deleted.
  if (npm !== undefined && node !== undefined) return spawnSync(node, [npm, ...flags], options);
  return spawnSync('npm', flags, { ...options, shell: process.platform === 'win32' });
}
