import { closeSync, type Dirent, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownRepository, type Repository, repositoryOf } from './repository.ts';

/** What a scan of a path looks at. */
export interface Tree {
  /** The folder that paths in reports are relative to: the repository around the path, or the path. */
  root: string;
  /** Every regular file below the path, in the order of their names, or the path itself. */
  files: string[];
  repositories: Repository[];
  /** Folders that could not be read, and why. */
  unreadable: { path: string; reason: string }[];
}

/**
 * Lists a folder with everything below it, without following symbolic links, and without the folders of Git. If the
 * folder is inside a repository, this repository is listed as well.
 *
 * @param history whether the repositories will be searched
 */
export function listTree(path: string, { history }: { history: boolean }): Tree {
  const isFolder = statSync(path).isDirectory();
  const repository = repositoryOf(isFolder ? path : dirname(path));
  const root = repository?.root ?? (isFolder ? path : dirname(path));
  const tree: Tree = { root, files: [], repositories: [], unreadable: [] };
  if (!isFolder) return { ...tree, files: [path] };
  if (repository?.only !== undefined) tree.repositories.push(repository);
  addFolder(path, tree, history);
  return tree;
}

function addFolder(folder: string, tree: Tree, history: boolean): void {
  const entries = entriesOf(folder, tree);
  const names = entries.map(({ name }) => name);
  const own = ownRepository(folder, names);
  if (own !== undefined) tree.repositories.push(own);
  // Git reads the objects of a bare repository. Without it, they are searched, because a folder may only look like one.
  const isBare = own?.gitDir === folder;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name === '.git' || (isBare && history && entry.name === 'objects')) continue;
    if (entry.isDirectory()) addFolder(path, tree, history);
    else if (entry.isFile()) tree.files.push(path);
  }
}

function entriesOf(folder: string, tree: Tree): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    tree.unreadable.push({ path: folder, reason: reasonOf(error) });
    return [];
  }
}

const pieceSize = 1024 * 1024;

/** Reused, because most files are small: a new buffer of this size for each would keep the garbage collector busy. */
const buffer = Buffer.allocUnsafe(pieceSize);

/** @throws the errors of the file system */
export function* readChunks(path: string): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (let size = readSync(file, buffer); size > 0; size = readSync(file, buffer))
      yield Buffer.from(buffer.subarray(0, size));
  } finally {
    closeSync(file);
  }
}

/** The code of an error of the file system, such as EACCES. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
