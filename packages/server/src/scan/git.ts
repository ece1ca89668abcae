import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';

export class HistoryUnavailable extends Error {
  override readonly name = 'HistoryUnavailable';
}

/** A process of Git. */
export interface Git {
  child: ChildProcessWithoutNullStreams;
  /** @throws {HistoryUnavailable} when it has failed */
  end: Promise<void>;
}

const safeArguments = [
  ...['--no-pager', '--no-optional-locks', '--no-replace-objects', '--literal-pathspecs'],
  ...['-c', 'core.fsmonitor=false'],
];

/** Git must not fetch missing objects, which can run programs that the configuration of the repository names. */
const safeEnvironment = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_TERMINAL_PROMPT: '0' };

/** Set in hooks: they would replace the repository, or parts of it, by another one. */
const repositoryVariables = [
  ...['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_NAMESPACE'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_SHALLOW_FILE', 'GIT_GRAFT_FILE'],
];

/** @param gitDir a folder of Git, or a file `.git` that names one */
export function startGit(gitDir: string, args: readonly string[]): Git {
  const env: NodeJS.ProcessEnv = { ...process.env, ...safeEnvironment };
  for (const name of repositoryVariables) delete env[name];
  const root = dirname(gitDir);
  // The configuration of a repository can name another root, and folders are relative to this one.
  const place = [`--git-dir=${gitDir}`, `--work-tree=${root}`];
  const child = spawn('git', [...safeArguments, ...place, ...args], {
    cwd: root,
    env,
    stdio: 'pipe',
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors = (errors + piece).slice(-1000);
  });
  // A process that has ended early is reported by its exit code.
  child.stdin.on('error', () => undefined);
  const end = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new HistoryUnavailable(`git cannot be run: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new HistoryUnavailable(explain(errors) ?? `git ended with ${code}`));
    });
  });
  end.catch(() => undefined);
  return { child, end };
}

/** The first error, which is more helpful than warnings before it. */
function explain(errors: string): string | undefined {
  const lines = errors.split('\n').filter((line) => line !== '');
  return lines.find((line) => line.startsWith('fatal: ')) ?? lines[0];
}

/** @throws {HistoryUnavailable} */
export async function readGitOutput(gitDir: string, args: readonly string[]): Promise<string> {
  const { child, end } = startGit(gitDir, args);
  child.stdin.end();
  const [output] = await Promise.all([text(child.stdout), end]);
  return output;
}
