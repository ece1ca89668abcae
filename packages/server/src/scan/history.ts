import { pipeline } from 'node:stream/promises';
import { ByteReader } from './byte-reader.ts';
import { HistoryUnavailable, readGitOutput, startGit } from './git.ts';
import type { Repository } from './repository.ts';

/** An object of a Git repository: a version of a file, or the message of a commit or a tag. */
export interface HistoryObject {
  id: string;
  type: 'blob' | 'commit' | 'tag';
  /** The first commit that has it; undefined if no commit that was listed does. */
  commit: string | undefined;
  /** Relative to the root of the repository; '' for a message, and if it is unknown. */
  path: string;
  /** To be read before the next object. */
  bytes: AsyncGenerator<Buffer, void>;
}

export interface HistoryOptions {
  /** Only what the commits of HEAD added that this commit does not have; undefined for everything. */
  since: string | undefined;
  /** Called with the number of objects that the repository references but does not have, if there are any. */
  missing: (count: number) => void;
}

/** Everything that a reference or a reflog reaches: the entries of the stash are the reflog of refs/stash. */
const everything = ['--all', '--reflog'];

/** Otherwise Git asks whether `HEAD` is the commit or a file of that name. */
const endOfCommits = '--';

/**
 * Reads every version of every file in the history of a repository once, with the first commit that has it, and the
 * messages of all commits and tags. Without a limit, this includes objects that nothing references.
 *
 * @throws {HistoryUnavailable} Git is missing or cannot read the repository
 */
export async function* readHistory(
  { gitDir, only }: Repository,
  { since, missing }: HistoryOptions,
): AsyncGenerator<HistoryObject> {
  const range = since === undefined ? everything : ['HEAD', `^${await resolveCommit(gitDir, since)}`];
  // A merge can drop a side, and with it what only this side had: the default leaves that side out.
  const paths = only === undefined ? [endOfCommits] : ['--full-history', endOfCommits, only];
  const order = ['--in-commit-order', '--reverse', '--missing=print'];
  const listed = new Set<string>();
  let absent = 0;
  const reachable = async function* (): AsyncGenerator<Name> {
    const lines = gitLines(gitDir, ['rev-list', '--objects', ...order, ...range, ...paths]);
    for await (const name of parseNames(lines)) {
      if (name === 'missing') absent += 1;
      else {
        listed.add(name.id);
        yield name;
      }
    }
  };
  yield* readObjects(gitDir, reachable());
  if (absent > 0) missing(absent);
  if (since === undefined && only === undefined) yield* readObjects(gitDir, unlisted(gitDir, listed));
}

/** @throws {HistoryUnavailable} */
async function resolveCommit(gitDir: string, name: string): Promise<string> {
  try {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    return (await readGitOutput(gitDir, args)).trim();
  } catch (error) {
    if (!(error instanceof HistoryUnavailable)) throw error;
    throw new HistoryUnavailable(`it has no commit ${name}. Check out all commits, not only the last ones.`);
  }
}

/** Whether the parents of a commit in the range are missing, because the clone is shallow. */
export async function isShallowRange(
  { gitDir }: Repository,
  cutAt: ReadonlySet<string>,
  since: string | undefined,
): Promise<boolean> {
  if (since === undefined || cutAt.size === 0) return cutAt.size > 0;
  const range = ['HEAD', `^${await resolveCommit(gitDir, since)}`, endOfCommits];
  const commits = await readGitOutput(gitDir, ['rev-list', ...range]);
  return commits.split('\n').some((commit) => cutAt.has(commit));
}

type Name = Pick<HistoryObject, 'id' | 'commit' | 'path'>;

/** Parses the lines of `git rev-list --objects`: "<commit>", "<object> <path>" or "?<missing object>". */
async function* parseNames(lines: AsyncGenerator<string>): AsyncGenerator<Name | 'missing'> {
  let commit: string | undefined;
  for await (const line of lines) {
    const space = line.indexOf(' ');
    if (line.startsWith('?')) yield 'missing';
    else if (space === -1) {
      commit = line;
      yield { id: line, commit, path: '' };
    } else yield { id: line.slice(0, space), commit, path: line.slice(space + 1) };
  }
}

/** The objects that nothing references: staged files, dropped stashes, and commits that were amended long ago. */
async function* unlisted(gitDir: string, listed: ReadonlySet<string>): AsyncGenerator<Name> {
  const check = '--batch-check=%(objectname) %(objecttype)';
  for await (const line of gitLines(gitDir, ['cat-file', '--batch-all-objects', '--unordered', check])) {
    const [id = '', type] = line.split(' ');
    if (type !== 'tree' && !listed.has(id)) yield { id, commit: undefined, path: '' };
  }
}

/**
 * The output of Git, which ends with the iteration.
 *
 * @throws {HistoryUnavailable}
 */
async function* gitLines(gitDir: string, args: readonly string[]): AsyncGenerator<string> {
  const { child, end } = startGit(gitDir, args);
  child.stdin.end();
  try {
    yield* new ByteReader(child.stdout).lines();
    await end;
  } finally {
    child.kill();
  }
}

async function* readObjects(gitDir: string, names: AsyncGenerator<Name>): AsyncGenerator<HistoryObject> {
  // `rest` is what follows the ID in the input.
  const format = '--batch=%(objectname) %(objecttype) %(objectsize) %(rest)';
  const reader = startGit(gitDir, ['cat-file', '--buffer', format]);
  /** What was listed before a failure is read. */
  let failure: unknown;
  const input = inputOf(names, (error) => {
    failure = error;
  });
  // It also ends when the reader has ended too early, and with it the process that lists the names.
  const feeding = pipeline(input, reader.child.stdin);
  // Awaited below.
  feeding.catch(() => undefined);
  try {
    yield* parseObjects(new ByteReader(reader.child.stdout));
    await reader.end;
    await feeding;
    if (failure !== undefined) throw failure;
  } finally {
    reader.child.kill();
  }
}

async function* inputOf(
  names: AsyncGenerator<Name>,
  failed: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    for await (const { id, commit = '-', path } of names) yield `${id} ${commit} ${path}\n`;
  } catch (error) {
    failed(error);
  }
}

/** Parses the output of `git cat-file`: "<id> <type> <size> <commit> <path>", the bytes, and a line break. */
async function* parseObjects(output: ByteReader): AsyncGenerator<HistoryObject> {
  for await (const line of output.lines()) {
    const [id = '', type, size, commit, ...path] = line.split(' ');
    if (type === 'missing') throw new HistoryUnavailable(`git cannot read the object ${id}`);
    const bytes = output.bytes(Number(size));
    if (isSearched(type))
      yield {
        id,
        type,
        // A tag is listed before the commit that it names, so the last listed commit is a different one.
        commit: type === 'tag' || commit === '-' ? undefined : commit,
        path: type === 'blob' ? path.join(' ') : '',
        bytes,
      };
    await output.skip(bytes);
    await output.skip(output.bytes(1));
  }
}

/** Trees are not searched. */
function isSearched(type: string | undefined): type is HistoryObject['type'] {
  return type === 'blob' || type === 'commit' || type === 'tag';
}
