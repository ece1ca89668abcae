import { listTree, readPieces, reasonOf } from './files.ts';
import type { KeyFinder } from './find-in-text.ts';
import { HistoryUnavailable, readHistory } from './history.ts';
import type { Leak } from './report.ts';
import { scanBytes } from './scan-bytes.ts';

export interface ScanResult {
  leaks: Leak[];
  /** Files, and versions of files and messages in the history, that were searched. */
  searched: number;
  /** What could not be searched, and why. */
  problems: { path: string; reason: string }[];
}

/**
 * Searches the files below some paths and, unless it is off, the history of every Git repository among them.
 *
 * @param paths absolute
 * @param progress called after each file or version, with their number so far
 */
export async function scan(
  finder: KeyFinder,
  paths: readonly string[],
  options: { history: boolean; progress: (searched: number) => void },
): Promise<ScanResult> {
  const result: ScanResult = { leaks: [], searched: 0, problems: [] };
  const count = () => {
    result.searched += 1;
    options.progress(result.searched);
  };
  for (const path of paths) {
    const { files, repositories, unreadable } = listTree(path);
    result.problems.push(...unreadable);
    await scanFiles(finder, files, result, count);
    if (!options.history) continue;
    for (const repository of repositories) await scanHistory(finder, repository, result, count);
  }
  return result;
}

async function scanFiles(
  finder: KeyFinder,
  files: readonly string[],
  result: ScanResult,
  count: () => void,
): Promise<void> {
  for (const path of files) {
    try {
      for (const found of await scanBytes(finder, readPieces(path))) result.leaks.push({ ...found, path });
    } catch (error) {
      result.problems.push({ path, reason: reasonOf(error) });
    }
    count();
  }
}

/** Reports each key once for each path in the history, with the first commit that has it there. */
async function scanHistory(
  finder: KeyFinder,
  repository: string,
  result: ScanResult,
  count: () => void,
): Promise<void> {
  const reported = new Set<string>();
  try {
    for await (const { commit, path, bytes } of readHistory(repository)) {
      for (const found of await scanBytes(finder, [bytes])) {
        const name = `${found.key}\n${path}`;
        if (reported.has(name)) continue;
        reported.add(name);
        result.leaks.push({ ...found, path, commit: { id: commit, repository } });
      }
      count();
    }
  } catch (error) {
    if (!(error instanceof HistoryUnavailable)) throw error;
    result.problems.push({ path: repository, reason: error.message });
  }
}
