// Prevents starts with outdated files: "Cannot find module" in a fresh clone or after a pull that changed
// package-lock.json, a dashboard or server older than its sources, and a syntax error instead of "Node is too old".
//
// The npm scripts run it first. It must run on Node 20 without packages, because it installs them. If there is nothing
// to do, it prints nothing; messages go to stderr, so stdout belongs to the actual command.

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockFile = join(root, 'package-lock.json');
/** npm writes this file at the end of an install, so its age is the age of the packages. */
const installedLock = join(root, 'node_modules', '.package-lock.json');
/** Node 24 from npm. npm scripts use it before the machine's own, because npm puts this folder first in PATH. */
const packagedNode = join(root, 'node_modules', '.bin', 'node');

const oldestNode = 24;
/** EX_CONFIG of sysexits.h */
const wrongNode = 78;

function isInstalled() {
  const installed = statSync(installedLock, { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs >= statSync(lockFile).mtimeMs;
}

function isOldNode(version) {
  return Number.parseInt(version, 10) < oldestNode;
}

/** The version of the Node that npm scripts use, or an empty text if it does not run. */
async function nodeOfScripts() {
  if (!existsSync(packagedNode)) return process.versions.node;
  const { realpathSync } = await import('node:fs');
  if (realpathSync(packagedNode) === realpathSync(process.execPath)) return process.versions.node;
  const { spawnSync } = await import('node:child_process');
  const { stdout } = spawnSync(packagedNode, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return stdout?.trim() ?? '';
}

async function checkNode() {
  let version = await nodeOfScripts();
  if (version === '') {
    // Built for another C library (Alpine). Removed so that npm scripts find the machine's own Node.
    const { rmSync } = await import('node:fs');
    rmSync(packagedNode);
    version = process.versions.node;
  }
  if (!isOldNode(version)) return;
  console.error(
    `Soku needs Node ${oldestNode} or newer, but this machine has ${version}, and npm has no packaged Node for ${process.platform} ${process.arch}. Install Node from nodejs.org.`,
  );
  process.exit(wrongNode);
}

/** Does work that only one process may do at a time, unless another process has just done it. */
async function unlessDone(isDone, work) {
  if (isDone()) return;
  const { holdLock } = await import('./lock.mjs');
  const release = await holdLock(join(root, '.prepare.lock'));
  try {
    if (!isDone()) await work();
  } finally {
    release();
  }
}

await unlessDone(isInstalled, async () => {
  const { install } = await import('./install.mjs');
  install({ root, lockFile, installedLock });
});
await checkNode();
if (process.argv.includes('--build')) {
  const { build, isBuilt, products } = await import('./build.mjs');
  const node = existsSync(packagedNode) ? packagedNode : process.execPath;
  for (const product of Object.values(products)) {
    await unlessDone(
      () => isBuilt(root, product),
      () => build(root, node, product),
    );
  }
}
