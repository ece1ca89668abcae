// Prevents a dashboard that does not fit its sources (after a pull, an edit or an interrupted build) from being
// served, and every start from paying for a build that changes nothing.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { failureOf } from './child.mjs';
import { compressFiles } from './compress.mjs';

const dashboard = 'packages/dashboard';
/** What decides how it is built: a change of these is a change of the result. */
const tools = ['package-lock.json', 'scripts/build.mjs', 'scripts/compress.mjs'];
const notSources = new Set(['dist', '.building', 'node_modules']);

/**
 * Whether the built dashboard is that of the sources as they are now.
 * @param {string} root the repository
 */
export function isBuilt(root) {
  try {
    return readFileSync(join(root, dashboard, 'dist', '.stamp'), 'utf8') === sourcesHash(root);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** SHA-256 over the names and contents of all that goes into the dashboard. */
function sourcesHash(root) {
  const hash = createHash('sha256');
  for (const path of sources(root)) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The dashboard, the package of keys, what the server shares with the dashboard, and the versions of all tools. */
function sources(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages/server/package.json'), 'utf8'));
  const shared = Object.values(exports).map((path) => join('packages/server', path));
  return [...filesIn(root, dashboard), ...filesIn(root, 'packages/key/src'), ...shared, ...tools];
}

function filesIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !notSources.has(name) && !name.includes('.test.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesIn(root, path) : [path];
    });
}

/**
 * Builds the dashboard beside the old one and puts it in its place when it is whole. Ends the process with Vite's
 * exit code when that fails; the old one stays, and the next start tries again.
 * @param {string} root the repository
 * @param {string} node the Node to build with
 */
export function buildDashboard(root, node) {
  const start = performance.now();
  console.error('Building the dashboard...');
  const folder = join(root, dashboard);
  const building = join(folder, '.building');
  rmSync(building, { recursive: true, force: true });
  // Named dist as well, so that version control and linters leave both alone; and a Vite that outlived a killed
  // start writes into another folder than ours.
  const [fresh, old] = [join(building, String(process.pid), 'dist'), join(building, 'old', 'dist')];
  mkdirSync(join(building, 'old'), { recursive: true });
  const stamp = sourcesHash(root);
  const failure = runVite(folder, node, fresh);
  if (failure !== null) {
    rmSync(building, { recursive: true, force: true });
    console.error(`The dashboard could not be built (vite build: ${failure.reason}).`);
    process.exit(failure.code);
  }
  compressFiles(fresh);
  writeFileSync(join(fresh, '.stamp'), stamp);
  if (statSync(join(folder, 'dist'), { throwIfNoEntry: false }) !== undefined)
    renameSync(join(folder, 'dist'), old);
  renameSync(fresh, join(folder, 'dist'));
  rmSync(building, { recursive: true, force: true });
  console.error(`Built in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

function runVite(folder, node, outDir) {
  const vite = join(
    createRequire(join(folder, 'package.json')).resolve('vite/package.json'),
    '../bin/vite.js',
  );
  const flags = ['build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'];
  return failureOf(
    spawnSync(node, [vite, ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
}
