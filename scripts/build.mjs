// Prevents a dashboard or a server that is older than its sources (after a pull, an edit or an interrupted build) from
// running, and every start from repeating a build that changes nothing.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard } from './build-dashboard.mjs';
import { buildServer } from './build-server.mjs';

/**
 * @typedef {object} Product a folder of the repository that is built into its `dist`
 * @property {string} name shown in messages
 * @property {string} folder
 * @property {string[]} sources folders whose files are built
 * @property {(root: string, node: string, outDir: string) => { reason: string, code: number } | null} build
 */

/** Sources of both products. */
const shared = ['packages/contract', 'packages/key'];

/** @type {Record<'dashboard' | 'server', Product>} */
export const products = {
  dashboard: {
    name: 'dashboard',
    folder: 'packages/dashboard',
    // The help shows the examples.
    sources: ['packages/dashboard', 'examples', ...shared],
    build: buildDashboard,
  },
  server: {
    name: 'server',
    folder: 'packages/server',
    sources: ['packages/server', ...shared],
    build: buildServer,
  },
};

/** Other inputs of each build: the versions of all packages, and the scripts. */
const tools = [
  'package-lock.json',
  'scripts/build.mjs',
  'scripts/build-dashboard.mjs',
  'scripts/build-server.mjs',
  'scripts/child.mjs',
  'scripts/compress.mjs',
];
const notSources = new Set(['dist', '.building', 'node_modules']);

/**
 * Whether the build is up to date with its sources.
 * @param {string} root the repository
 * @param {Product} product
 */
export function isBuilt(root, product) {
  try {
    return readFileSync(join(root, product.folder, 'dist', '.stamp'), 'utf8') === sourcesHash(root, product);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** SHA-256 over the names and contents of all inputs of a product. */
function sourcesHash(root, { sources }) {
  const hash = createHash('sha256');
  for (const path of [...sources.flatMap((folder) => filesIn(root, folder)), ...tools]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
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
 * Builds a product next to the old one and replaces it when the build is complete. If the build fails, exits with the
 * builder's exit code; the old one stays, and the next start tries again.
 * @param {string} root the repository
 * @param {string} node the Node to build with
 * @param {Product} product
 */
export function build(root, node, product) {
  const start = performance.now();
  console.error(`Building the ${product.name}...`);
  const folder = join(root, product.folder);
  const building = join(folder, '.building');
  rmSync(building, { recursive: true, force: true });
  // Also named dist, so that version control and linters ignore both. The process id in the path keeps a builder that
  // survived a killed start from writing into this folder.
  const [fresh, old] = [join(building, String(process.pid), 'dist'), join(building, 'old', 'dist')];
  mkdirSync(join(building, 'old'), { recursive: true });
  const stamp = sourcesHash(root, product);
  const failure = product.build(root, node, fresh);
  if (failure !== null) {
    rmSync(building, { recursive: true, force: true });
    console.error(`Failed to build the ${product.name}: ${failure.reason}.`);
    process.exit(failure.code);
  }
  writeFileSync(join(fresh, '.stamp'), stamp);
  if (statSync(join(folder, 'dist'), { throwIfNoEntry: false }) !== undefined)
    renameSync(join(folder, 'dist'), old);
  renameSync(fresh, join(folder, 'dist'));
  rmSync(building, { recursive: true, force: true });
  console.error(`Built in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}
