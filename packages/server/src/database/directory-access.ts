import { accessSync, chmodSync, constants, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../startup-error.ts';

/** What a directory of ours holds. */
const ownNames = ['soku.db', 'revoked-hashes', 'dead-hashes', 'lock', 'secret'];

/**
 * Takes away what others than owner and group may do in the data directory: a service manager or `mkdir` usually creates
 * it with mode 0755, and to refuse that would refuse the most common set-up. A group keeps its rights, because mounted
 * volumes need them. It refuses what it cannot or should not change: a directory of another user, and one such as /tmp
 * that holds the files of others.
 *
 * @throws {StartupError} 73 when others can read the directory and that cannot be changed
 */
export function requirePrivate(directory: string): void {
  const uid = process.getuid?.();
  // On Windows modes say nothing.
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
 * @param tighten whether to make it private; not before it is known to be ours
 * @throws {StartupError} 73 when it is no regular file, belongs to another user, or cannot be read and written
 */
export function requireOwnFile(file: string, { tighten }: { tighten: boolean }): void {
  try {
    const state = statSync(file, { throwIfNoEntry: false });
    if (state === undefined) return;
    if (!state.isFile()) throw new Error('it is no file');
    const uid = process.getuid?.();
    // Root may run the operator's commands on the files of the server's user.
    if (uid !== undefined && uid !== 0 && state.uid !== uid) {
      throw new Error(`it belongs to the user with id ${state.uid}, and this process runs as ${uid}`);
    }
    accessSync(file, constants.R_OK | constants.W_OK);
    if (tighten && uid !== undefined && (state.mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      'cannotCreate',
      `${file} cannot be used: ${reason}. It has to be a file that this user owns, and can read and write.`,
    );
  }
}
