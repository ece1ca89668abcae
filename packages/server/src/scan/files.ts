import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a scan of a path looks at. */
export interface Tree {
  /** Every regular file below the path, in the order of their names, or the path itself. */
  files: string[];
  /** Folders that are Git work trees: they contain `.git`. */
  repositories: string[];
  /** Folders that could not be read, and why. */
  unreadable: { path: string; reason: string }[];
}

/** Lists a folder with everything below it, without following symbolic links and without the folders of Git. */
export function listTree(path: string): Tree {
  const tree: Tree = { files: [], repositories: [], unreadable: [] };
  if (statSync(path).isDirectory()) addFolder(path, tree);
  else tree.files.push(path);
  return tree;
}

function addFolder(folder: string, tree: Tree): void {
  for (const entry of entriesOf(folder, tree)) {
    const path = join(folder, entry.name);
    if (entry.name === '.git') tree.repositories.push(folder);
    else if (entry.isDirectory()) addFolder(path, tree);
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

/** @throws as the stream does */
export function readPieces(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}

/** The code of an error of the file system, such as EACCES. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
