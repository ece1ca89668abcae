import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listTree, readChunks, reasonOf } from './files.ts';
import type { KeyFinder } from './find-in-text.ts';
import { HistoryUnavailable } from './git.ts';
import { isShallowRange, readHistory } from './history.ts';
import type { Leak, LeakPlace } from './leak.ts';
import { isPartial, type Repository, readState, repositoryOf } from './repository.ts';
import { scanBytes } from './scan-bytes.ts';

export interface ScanResult {
  leaks: Leak[];
  /** Files, and versions of files and messages in the history, that were searched. */
  searched: number;
  /** What could not be searched, and why. */
  problems: Incident[];
  /** Repositories that do not have their whole history, and why. */
  gaps: Incident[];
}

/** A path that could not be searched completely. */
export interface Incident {
  path: string;
  reason: string;
}

export interface ScanOptions {
  history: boolean;
  /** Only what the commits after this one added; undefined for all files and the whole history. */
  since?: string | undefined;
  /** The bytes of a file without a name, such as standard input, before the paths. */
  input?: AsyncIterable<Uint8Array> | undefined;
  /** Called after each file or version, with their number so far. */
  progress: (searched: number) => void;
}

/**
 * Searches the files below some paths and, unless it is off, the history of every Git repository among them and around
 * them.
 *
 * @param paths absolute. In reports, they have no symbolic links
 */
export async function scan(
  finder: KeyFinder,
  paths: readonly string[],
  options: ScanOptions,
): Promise<ScanResult> {
  const run = new Scan(finder, options);
  if (options.input !== undefined) await run.search(options.input, { kind: 'input' });
  for (const path of paths.map(realPath)) {
    if (options.since === undefined) await run.scanTree(path);
    else await run.scanRange(path);
  }
  return run.result;
}

/** The repository of a folder is around the folder, not around a link to it. A file can be a pipe, which has no path. */
function realPath(path: string): string {
  return statSync(path).isDirectory()
    ? realpathSync(path)
    : join(realpathSync(dirname(path)), basename(path));
}

class Scan {
  readonly result: ScanResult = { leaks: [], searched: 0, problems: [], gaps: [] };
  readonly #finder: KeyFinder;
  readonly #options: ScanOptions;
  /** Work trees can share a repository. */
  readonly #repositories = new Set<string>();

  constructor(finder: KeyFinder, options: ScanOptions) {
    this.#finder = finder;
    this.#options = options;
  }

  async scanTree(path: string): Promise<void> {
    const { root, files, repositories, unreadable } = listTree(path, this.#options);
    this.result.problems.push(...unreadable);
    for (const file of files) {
      try {
        await this.search(readChunks(file), { kind: 'file', path: file, root });
      } catch (error) {
        this.result.problems.push({ path: file, reason: reasonOf(error) });
      }
    }
    if (!this.#options.history) return;
    for (const repository of repositories) await this.#scanHistory(repository);
  }

  /** The range of the repository of a path. Other repositories below it do not have the commit. */
  async scanRange(path: string): Promise<void> {
    const repository = repositoryOf(path);
    if (repository !== undefined) await this.#scanHistory(repository);
    else this.result.problems.push({ path, reason: 'it is not in a Git repository' });
  }

  async search(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, place: LeakPlace): Promise<void> {
    const found = await scanBytes(this.#finder, pieces);
    for (const finding of found) this.result.leaks.push({ ...finding, place });
    this.#count();
  }

  #count(): void {
    this.result.searched += 1;
    this.#options.progress(this.result.searched);
  }

  async #scanHistory(repository: Repository): Promise<void> {
    const { root, gitDir, only = '' } = repository;
    const { since } = this.#options;
    try {
      const { id, cutAt } = await readState(repository);
      // The end of a range is the commit that this work tree has checked out.
      const name = `${since === undefined ? id : gitDir}\n${only}`;
      if (this.#repositories.has(name)) return;
      this.#repositories.add(name);
      if (await isShallowRange(repository, cutAt, since))
        this.result.gaps.push({ path: root, reason: shallow });
      await this.#searchHistory(repository);
    } catch (error) {
      if (!(error instanceof HistoryUnavailable)) throw error;
      this.result.problems.push({ path: root, reason: error.message });
    }
  }

  /**
   * Reports each key once for each path in the history, with the first commit that has it there, and in objects that
   * nothing references only if it is nowhere else in the history.
   */
  async #searchHistory(repository: Repository): Promise<void> {
    const reported = new Set<string>();
    const { since } = this.#options;
    let absent = 0;
    const missing = (count: number) => {
      absent = count;
    };
    for await (const { bytes, ...object } of readHistory(repository, { since, missing })) {
      for (const finding of await scanBytes(this.#finder, bytes)) {
        const names = object.commit === undefined ? [finding.key] : [];
        names.push(`${finding.key}\n${object.path}`);
        if (names.some((name) => reported.has(name))) continue;
        reported.add(finding.key).add(`${finding.key}\n${object.path}`);
        this.result.leaks.push({ ...finding, place: { kind: 'history', repository, object } });
      }
      this.#count();
    }
    if (absent > 0) await this.#reportAbsent(repository, absent);
  }

  async #reportAbsent(repository: Repository, count: number): Promise<void> {
    const missing = `objects of its history are missing (${count.toLocaleString('en')})`;
    const path = repository.root;
    if (await isPartial(repository)) this.result.gaps.push({ path, reason: `${missing}, ${partial}` });
    else this.result.problems.push({ path, reason: `${missing}, because it is damaged. Check it: git fsck` });
  }
}

const shallow = 'its history is truncated, because this clone is shallow. Complete it: git fetch --unshallow';
const partial = 'because this clone is partial. Complete it: git fetch --refetch --no-filter';
