// Prevents each start from loading 1,300 files one by one, which takes longer than the rest of the start.

import { runPackaged } from './child.mjs';

/** The entry points: the server, the operator's commands, and the thread that hashes passwords. */
const entries = ['main.ts', 'operator.ts', 'accounts/password-worker.ts'].map(
  (file) => `packages/server/src/${file}`,
);

/**
 * Bundles the server and the operator's commands with all packages they use.
 * @param {string} root the repository
 * @param {string} node the Node to build with
 * @param {string} outDir
 */
export function buildServer(root, node, outDir) {
  // Tree shaking is off: the bundler treats calls such as decodeURIComponent() as free of side effects if their result
  // is unused, and removes the `try` around them together with the expected exception.
  const unchanged = ['--no-treeshake', '--minify', 'false'];
  const flags = [
    '--platform',
    'node',
    '--format',
    'esm',
    ...unchanged,
    '--dir',
    outDir,
    '--log-level',
    'warn',
  ];
  return runPackaged(node, root, 'rolldown', 'bin/cli.mjs', [...entries, ...flags]);
}
