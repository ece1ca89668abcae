import { randomBytes } from 'node:crypto';
import * as nodeFileSystem from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './code-of.ts';

/**
 * Files that are created once, or replaced as a whole. A file of that name is complete and on the disk, or it does not exist, whatever happens
 * meanwhile: a crash, a power cut, a full disk, or another process that creates the same file.
 */

/** The calls that a test watches, or lets fail. */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  'closeSync' | 'fsyncSync' | 'linkSync' | 'openSync' | 'renameSync' | 'rmSync' | 'writeFileSync'
>;

/** A name beside a file that no other process uses. A process that was killed may leave a file of such a name. */
export function partialName(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.partial`;
}

/**
 * Creates a file that only its owner can read.
 *
 * @returns whether this call created it; when it returns false, a file of that name exists and is unchanged
 * @throws what the file system throws; a file of that name then exists only if it is complete
 */
export function createFile(file: string, content: string, fs: FileSystem = nodeFileSystem): boolean {
  const partial = partialName(file);
  try {
    fs.writeFileSync(partial, content, { mode: 0o600, flag: 'wx' });
    return placeFile(partial, file, fs);
  } finally {
    fs.rmSync(partial, { force: true });
  }
}

/**
 * Writes a file whose content may change. At each moment there is the former content or the new one, as a whole.
 *
 * @throws what the file system throws; the former file is then unchanged
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

/** The errors of file systems that cannot give a file a second name. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Gives a complete file its name, and waits until both are on the disk. It never replaces a file.
 *
 * @param partial in the same directory; gone afterwards unless false is returned
 * @returns false when a file of that name exists, even if it was created a moment ago
 */
export function placeFile(partial: string, file: string, fs: FileSystem = nodeFileSystem): boolean {
  syncFile(partial, fs);
  try {
    fs.linkSync(partial, file);
    fs.rmSync(partial);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (!noLinks.includes(code)) throw error;
    if (!placeWithoutLink(partial, file, fs)) return false;
  }
  syncDirectory(dirname(file), fs);
  return true;
}

/** The first process to create the name has it. The file is empty for a moment, which links avoid. */
function placeWithoutLink(partial: string, file: string, fs: FileSystem): boolean {
  try {
    fs.closeSync(fs.openSync(file, 'wx', 0o600));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
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

/** Waits until the content of a file is on the disk, also what another process wrote into it. */
export function syncFile(file: string, fs: FileSystem = nodeFileSystem): void {
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * The errors of systems that cannot sync a directory, or do not let this user open it for reading. As PostgreSQL
 * (fsync_fname_ext) we go on then, because there is nothing else that could be done.
 */
const noDirectorySync = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR'];

/** Waits until the names in a directory are on the disk: syncing a new file does not cover its name (fsync(2)). */
export function syncDirectory(directory: string, fs: FileSystem = nodeFileSystem): void {
  try {
    syncFile(directory, fs);
  } catch (error) {
    if (!noDirectorySync.includes(codeOf(error))) throw error;
  }
}
