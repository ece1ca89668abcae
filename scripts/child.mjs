// Prevents a command that was killed, or could not be started, from being treated as successful: neither has an exit
// code.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * @param {import('node:child_process').SpawnSyncReturns<unknown>} result
 * @returns {{ reason: string, code: number } | null} the reason, and an exit code (128 + the signal number, as in
 *   shells); null on success
 */
export function failureOf({ status, signal, error }) {
  if (status === 0) return null;
  if (signal !== null) return { reason: signal, code: 128 + constants.signals[signal] };
  return { reason: error?.message ?? `exit code ${status}`, code: status ?? 1 };
}

/**
 * Runs a program of an installed package to its end. Its stderr is inherited, and its stdout is discarded.
 * @param {string} node the Node to run it with
 * @param {string} folder the package that depends on it, and the working directory
 * @param {string} name of the package
 * @param {string} file of the program in it
 * @param {string[]} args
 */
export function runPackaged(node, folder, name, file, args) {
  const manifest = createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`);
  const program = join(dirname(manifest), file);
  return failureOf(
    spawnSync(node, [program, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
}
