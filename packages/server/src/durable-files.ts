import { randomBytes } from 'node:crypto';
import * as nodeFileSystem from 'node:fs';
import { dirname } from 'node:path';
import { errorCodeOf } from './error-code.ts';

/**
 * Files that are created once, or replaced as a whole. A file is either complete and on disk or does not exist, despite
 * a crash, a power failure, a full disk, or another process that creates the same file.
 */

/** The file-system calls that a test can observe or make fail. */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  'closeSync' | 'fsyncSync' | 'linkSync' | 'openSync' | 'renameSync' | 'rmSync' | 'writeFileSync'
>;

/** A name in the same directory that no other process uses. A process that is killed may leave such a file behind. */
export function partialName(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.partial`;
}

/**
 * Creates a file that only its owner can read.
 *
 * @returns whether this call created it; false when the file already exists, which stays unchanged
 * @throws what the file system throws; the file then exists only if it is complete
 */
export function createFile(file: string, content: string, fs: FileSystem = nodeFileSystem): boolean {
  const partial = partialName(file);
  try {
    fs.writeFileSync(partial, content, { mode: 0o600, flag: 'wx' });
    return renameNoReplace(partial, file, fs);
  } finally {
    fs.rmSync(partial, { force: true });
  }
}

/**
 * Replaces the content of a file atomically: at any time the file has either the old content or the new one.
 *
 * @throws what the file system throws; the old file is then unchanged
 */
export function replaceFile(
  file: string,
  content: string | Uint8Array,
  mode: number,
  fs: FileSystem = nodeFileSystem,
): void {
  const partial = partialName(file);
  try {
    fs.writeFileSync(partial, content, { mode, flag: 'wx' });
    syncFile(partial, fs);
    fs.renameSync(partial, file);
    syncDirectory(dirname(file), fs);
  } finally {
    fs.rmSync(partial, { force: true });
  }
}

/** The errors of file systems without hard links. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Gives a complete file its final name, and waits until both are on disk. It never replaces an existing file.
 *
 * @param partial a file in the same directory; it is removed unless this returns false
 * @returns false when a file of that name exists, even one that was created a moment ago
 */
export function renameNoReplace(partial: string, file: string, fs: FileSystem = nodeFileSystem): boolean {
  syncFile(partial, fs);
  try {
    fs.linkSync(partial, file);
    fs.rmSync(partial);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'EEXIST') return false;
    if (!noLinks.includes(code)) throw error;
    if (!renameWithoutLink(partial, file, fs)) return false;
  }
  syncDirectory(dirname(file), fs);
  return true;
}

/** The first process to create the name wins. Unlike with a link, the file is empty for a moment. */
function renameWithoutLink(partial: string, file: string, fs: FileSystem): boolean {
  try {
    fs.closeSync(fs.openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    fs.renameSync(partial, file);
  } catch (error) {
    fs.rmSync(file);
    throw error;
  }
  return true;
}

/** Waits until the content of a file is on disk, including what another process wrote. */
export function syncFile(file: string, fs: FileSystem = nodeFileSystem): void {
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * The errors of systems that cannot sync a directory, or do not let this user open it for reading. They are ignored, as
 * in PostgreSQL (fsync_fname_ext), because there is no alternative.
 */
const noDirectorySync = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR'];

/** Waits until the names in a directory are on disk: syncing a new file does not sync its name (fsync(2)). */
export function syncDirectory(directory: string, fs: FileSystem = nodeFileSystem): void {
  try {
    syncFile(directory, fs);
  } catch (error) {
    if (!noDirectorySync.includes(errorCodeOf(error))) throw error;
  }
}
