import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Runs a program in a separate process. Use it for work with many promises: the test runner tracks each of them, which
 * makes it about twice as slow in a test process.
 *
 * @returns its output
 * @throws when it fails, with its output
 */
export async function runInOwnProcess(program: URL, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program), ...args]);
  return stdout;
}
