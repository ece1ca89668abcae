// Prevents a dashboard or a server that does not fit its sources (after a pull, an edit or an interrupted build) from
// running, and every start from paying for a build that changes nothing.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard } from './build-dashboard.mjs';
import { buildServer } from './build-server.mjs';

/**
 * @typedef {object} Product what is built out of a folder of the repository, into `dist` in it
 * @property {string} name for people
 * @property {string} folder
 * @property {string[]} sources folders whose files decide how it is built
 * @property {(root: string, node: string, outDir: string) => { reason: string, code: number } | null} build
 */

/** What both are built of. */
const shared = ['packages/contract', 'packages/key'];

/** @type {Record<'dashboard' | 'server', Product>} */
export const products = {
  dashboard: {
    name: 'dashboard',
    folder: 'packages/dashboard',
    sources: ['packages/dashboard', ...shared],
    build: buildDashboard,
  },
  server: {
    name: 'server',
    folder: 'packages/server',
    sources: ['packages/server', ...shared],
    build: buildServer,
  },
};

/** What decides how each is built, beside its sources: the versions of all packages, and the scripts. */
const tools = [
  'package-lock.json',
  'scripts/build.mjs',
  'scripts/build-dashboard.mjs',
  'scripts/build-server.mjs',
  'scripts/child.mjs',
  'scripts/compress.mjs',
  'scripts/server-bundle.mjs',
];
const notSources = new Set(['dist', '.building', 'node_modules']);

/**
 * Whether what is built is that of the sources as they are now.
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

/** SHA-256 over the names and contents of all that goes into a product. */
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
 * Builds a product beside the old one and puts it in its place when it is whole. Ends the process with the builder's
 * exit code when that fails; the old one stays, and the next start tries again.
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
  // Named dist as well, so that version control and linters leave both alone; and a builder that outlived a killed
  // start writes into another folder than ours.
  const [fresh, old] = [join(building, String(process.pid), 'dist'), join(building, 'old', 'dist')];
  mkdirSync(join(building, 'old'), { recursive: true });
  const stamp = sourcesHash(root, product);
  const failure = product.build(root, node, fresh);
  if (failure !== null) {
    rmSync(building, { recursive: true, force: true });
    console.error(`The ${product.name} could not be built: ${failure.reason}.`);
    process.exit(failure.code);
  }
  writeFileSync(join(fresh, '.stamp'), stamp);
  if (statSync(join(folder, 'dist'), { throwIfNoEntry: false }) !== undefined)
    renameSync(join(folder, 'dist'), old);
  renameSync(fresh, join(folder, 'dist'));
  rmSync(building, { recursive: true, force: true });
  console.error(`Built in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}
