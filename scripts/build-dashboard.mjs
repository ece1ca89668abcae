// Prevents a dashboard without the compressed files that the server sends.

import { join } from 'node:path';
import { runPackaged } from './child.mjs';
import { compressFiles } from './compress.mjs';

/**
 * @param {string} root the repository
 * @param {string} node the Node to build with
 * @param {string} outDir
 */
export function buildDashboard(root, node, outDir) {
  const flags = ['build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'];
  const failure = runPackaged(node, join(root, 'packages/dashboard'), 'vite', 'bin/vite.js', flags);
  if (failure === null) compressFiles(outDir);
  return failure;
}
