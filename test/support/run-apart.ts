import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Runs a program to its end. For work of many promises: the tests' runner follows each of them, which makes it about
 * twice as slow in a test's own process.
 *
 * @returns what it printed
 * @throws when it fails, with what it printed then
 */
export async function runApart(program: URL, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(program), ...args]);
  return stdout;
}
