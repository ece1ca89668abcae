import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** An object of a Git repository: a version of a file, or the message of a commit or a tag. */
export interface HistoryObject {
  /** The first commit that has it. */
  commit: string;
  /** Relative to the repository; '' for a message. */
  path: string;
  bytes: Buffer;
}

export class HistoryUnavailable extends Error {
  override readonly name = 'HistoryUnavailable';
}

/** Git must not fetch missing objects, write to the repository, or run programs that its configuration names. */
const safeArguments = ['--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false'];
const safeEnvironment = { GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0' };

/**
 * Reads every version of every file in the history of a repository once, with the first commit that has it, and the
 * messages of all commits and tags: of all branches, tags and the stash.
 *
 * @param repository a work tree
 * @throws {HistoryUnavailable} Git is missing or cannot read the repository
 */
export async function* readHistory(repository: string): AsyncGenerator<HistoryObject> {
  const lister = git(repository, ['rev-list', '--objects', '--in-commit-order', '--reverse', '--all']);
  const reader = git(repository, ['cat-file', '--batch', '--buffer']);
  const named: Omit<HistoryObject, 'bytes'>[] = [];
  const feeding = feed(lister, reader, named);
  // Awaited below; a failure of the reader is reported first.
  feeding.catch(() => undefined);
  let next = 0;
  try {
    for await (const { type, bytes } of parseBatch(reader.child.stdout)) {
      const name = named[next];
      next += 1;
      if (name === undefined) throw new HistoryUnavailable('git printed more objects than there are');
      if (type !== 'tree') yield { ...name, bytes };
    }
    await feeding;
    await Promise.all([lister.end, reader.end]);
  } finally {
    lister.child.kill();
    reader.child.kill();
  }
}

/** Passes the names of all objects from one process to the other, and remembers where each belongs. */
async function feed(lister: Git, reader: Git, named: Omit<HistoryObject, 'bytes'>[]): Promise<void> {
  let commit = '';
  for await (const line of createInterface({ input: lister.child.stdout })) {
    const space = line.indexOf(' ');
    const id = space === -1 ? line : line.slice(0, space);
    // Without a path, it is a commit, or a tag before its commit.
    if (space === -1) commit = id;
    named.push({ commit, path: space === -1 ? '' : line.slice(space + 1) });
    if (!reader.child.stdin.write(`${id}\n`)) await once(reader.child.stdin, 'drain');
  }
  reader.child.stdin.end();
}

type Git = ReturnType<typeof git>;

function git(repository: string, args: string[]) {
  const child = spawn('git', [...safeArguments, '-C', repository, ...args], {
    env: { ...process.env, ...safeEnvironment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-1000);
  });
  // A reader that has ended early is reported by its exit code.
  child.stdin.on('error', () => undefined);
  const end = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new HistoryUnavailable(`git cannot be run: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new HistoryUnavailable(errors.trim().split('\n')[0] ?? `git ended with ${code}`));
    });
  });
  end.catch(() => undefined);
  return { child, end };
}

/** Parses the output of `git cat-file --batch`: "<id> <type> <size>", the bytes, and a line break for each object. */
async function* parseBatch(output: Readable): AsyncGenerator<{ type: string; bytes: Buffer }> {
  const reader = new PieceReader(output);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const [, type = '', size = ''] = line.split(' ');
    // "missing": an object of a partial clone that is not here.
    const bytes = type === 'missing' ? Buffer.alloc(0) : await reader.bytes(Number(size));
    if (type !== 'missing') await reader.bytes(1);
    yield { type, bytes };
  }
}

class PieceReader {
  readonly #pieces: AsyncIterator<unknown>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** @returns undefined at the end */
  async line(): Promise<string | undefined> {
    let end = this.#buffer.indexOf('\n');
    while (end === -1) {
      if (!(await this.#more())) return undefined;
      end = this.#buffer.indexOf('\n');
    }
    const line = this.#buffer.subarray(0, end).toString('latin1');
    this.#buffer = this.#buffer.subarray(end + 1);
    return line;
  }

  async bytes(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0; ) {
      if (this.#buffer.length === 0 && !(await this.#more()))
        throw new HistoryUnavailable('git ended in the middle of an object');
      const part = this.#buffer.subarray(0, left);
      parts.push(part);
      left -= part.length;
      this.#buffer = this.#buffer.subarray(part.length);
    }
    return Buffer.concat(parts);
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done === true || !(value instanceof Uint8Array)) return false;
    this.#buffer = Buffer.concat([this.#buffer, value]);
    return true;
  }
}
