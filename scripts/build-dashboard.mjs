// Prevents a dashboard without the compressed forms of its files, which the server sends.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { failureOf } from './child.mjs';
import { compressFiles } from './compress.mjs';

/**
 * @param {string} root the repository
 * @param {string} node the Node to build with
 * @param {string} outDir
 */
export function buildDashboard(root, node, outDir) {
  const folder = join(root, 'packages/dashboard');
  const vite = join(
    createRequire(join(folder, 'package.json')).resolve('vite/package.json'),
    '../bin/vite.js',
  );
  const flags = ['build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'];
  const failure = failureOf(
    spawnSync(node, [vite, ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  if (failure === null) compressFiles(outDir);
  return failure;
}
