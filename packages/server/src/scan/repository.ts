import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { errorCodeOf } from '../error-code.ts';
import { HistoryUnavailable, readGitOutput } from './git.ts';

/** A Git repository whose history is searched. */
export interface Repository {
  /** Its work tree, or the repository itself if it is bare. */
  root: string;
  /** A folder of Git, or a file `.git` that names one. */
  gitDir: string;
  /** The only folder or file whose history is searched, relative to the root and with `/`; undefined for all of it. */
  only?: string;
}

/**
 * @param names what the folder contains
 * @returns the repository whose work tree is the folder, or the folder itself if Git takes it for a bare repository
 */
export function ownRepository(folder: string, names: readonly string[]): Repository | undefined {
  if (names.includes('.git')) return { root: folder, gitDir: join(folder, '.git') };
  const isBare = ['HEAD', 'objects', 'refs'].every((name) => names.includes(name));
  return isBare ? { root: folder, gitDir: folder } : undefined;
}

/** @returns the repository of a folder, or else the one around the folder or file, limited to it */
export function repositoryOf(path: string): Repository | undefined {
  const own = ownRepository(path, namesIn(path));
  if (own !== undefined) return own;
  for (let root = dirname(path); ; root = dirname(root)) {
    const gitDir = join(root, '.git');
    if (existsSync(gitDir)) return { root, gitDir, only: relative(root, path).split(sep).join('/') };
    if (root === dirname(root)) return undefined;
  }
}

/** Empty for a file, and if the folder cannot be read, which the scan of its files reports. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Facts about a repository that do not depend on the range. */
export interface RepositoryState {
  /** The same for all work trees of a repository. */
  id: string;
  /** The commits at which a shallow clone was cut, because it lacks their parents. Empty for other repositories. */
  cutAt: ReadonlySet<string>;
}

/** @throws {HistoryUnavailable} Git is missing or cannot read the repository */
export async function readState({ gitDir }: Repository): Promise<RepositoryState> {
  const output = await readGitOutput(gitDir, ['rev-parse', '--is-shallow-repository', '--git-common-dir']);
  // The path can contain line breaks. It is relative to the folder in which Git runs.
  const [, isShallow, path] = /^(true|false)\n(.+)\n$/s.exec(output) ?? [];
  if (path === undefined) throw new HistoryUnavailable('this version of git is too old');
  const commonDir = resolve(dirname(gitDir), path);
  try {
    const commits = isShallow === 'true' ? readFileSync(join(commonDir, 'shallow'), 'utf8').split('\n') : [];
    return { id: realpathSync(commonDir), cutAt: new Set(commits.filter((commit) => commit !== '')) };
  } catch (error) {
    throw new HistoryUnavailable(`its Git directory cannot be read (${errorCodeOf(error)})`);
  }
}

/** Whether a clone was made without some objects, which Git would fetch when they are needed. */
export async function isPartial({ gitDir }: Repository): Promise<boolean> {
  const names = await readGitOutput(gitDir, ['config', '--list', '--name-only']);
  return names.split('\n').some((name) => /^(?:extensions\.partialclone|remote\..*\.promisor)$/.test(name));
}
