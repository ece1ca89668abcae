// Prevents each start from loading 1,300 files one by one, which takes longer than all the rest of it.

import { runPackaged } from './child.mjs';

/**
 * Bundles the server and the operator's commands with all packages that they use.
 * @param {string} root the repository
 * @param {string} node the Node to build with
 * @param {string} outDir
 */
export function buildServer(root, node, outDir) {
  // Nothing is removed: the bundler takes calls such as decodeURIComponent() for free of effects when nobody uses what
  // they return, and drops the `try` around them with the exception that was waited for.
  const unchanged = ['--no-treeshake', '--minify', 'false'];
  const flags = [
    '--config',
    'scripts/server-bundle.mjs',
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
  return runPackaged(node, root, 'rolldown', 'bin/cli.mjs', flags);
}
