import { accessSync, chmodSync, constants, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../startup-error.ts';

/** Files that identify a directory as a Soku data directory. */
const ownNames = ['soku.db', 'revoked-hashes', 'dead-hashes', 'lock', 'secret'];

/**
 * Removes the permissions of other users on the data directory: a service manager or `mkdir` usually creates it with
 * mode 0755, so rejecting that would reject the most common setup. The group keeps its permissions, because mounted
 * volumes need them. It rejects directories that it cannot or should not change: one of another user, and one such as
 * /tmp that contains files of other programs.
 *
 * @throws {StartupError} 73 when others can read the directory and that cannot be changed
 */
export function requirePrivateDirectory(directory: string): void {
  const uid = process.getuid?.();
  // Modes have no meaning on Windows.
  if (uid === undefined) return;
  const state = statSync(directory);
  if ((state.mode & 0o007) === 0) return;
  if (canTighten(directory, state, uid)) {
    chmodSync(directory, state.mode & 0o7770);
    if ((statSync(directory).mode & 0o007) === 0) return;
  }
  if ((state.mode & 0o006) === 0) return;
  throw new StartupError(
    'cannotCreate',
    `Other users can read the data directory ${directory}. Set SOKU_DATA_DIR to a directory below it, such as ${join(directory, 'soku')}, which is then created with mode 0700, or run: chmod o-rwx ${directory}`,
  );
}

function canTighten(directory: string, { mode, uid: owner }: Stats, uid: number): boolean {
  const isSticky = (mode & 0o1000) !== 0;
  if (isSticky || (owner !== uid && uid !== 0)) return false;
  const names = readdirSync(directory).filter((name) => name !== 'lost+found');
  return names.length === 0 || names.some((name) => ownNames.includes(name));
}

/**
 * Checks a file of the data directory before it is used. It need not exist.
 *
 * @param tighten whether to make it private; only when it is known to belong to Soku
 * @throws {StartupError} 73 when it is not a regular file, belongs to another user, or is not readable and writable
 */
export function requireOwnFile(file: string, { tighten }: { tighten: boolean }): void {
  try {
    const state = statSync(file, { throwIfNoEntry: false });
    if (state === undefined) return;
    if (!state.isFile()) throw new Error('it is not a file');
    const uid = process.getuid?.();
    // Root may run operator commands on the files of the server's user.
    if (uid !== undefined && uid !== 0 && state.uid !== uid) {
      throw new Error(`it belongs to user ID ${state.uid}, but this process runs as ${uid}`);
    }
    accessSync(file, constants.R_OK | constants.W_OK);
    if (tighten && uid !== undefined && (state.mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      'cannotCreate',
      `${file} cannot be used: ${reason}. It must be a file that this user owns and can read and write.`,
    );
  }
}
