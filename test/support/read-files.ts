import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodeOf } from '../../packages/server/src/error-code.ts';

interface FileContent {
  path: string;
  content: Buffer;
}

/** All files below a directory. Starts again if one is renamed meanwhile, as a server does when a file is complete. */
export function readFiles(directory: string): FileContent[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => ({ path, content: readFileSync(path) }));
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
    return readFiles(directory);
  }
}
