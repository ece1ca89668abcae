import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartupError } from '../startup-error.ts';
import { lineLength, readLine, writeLine } from './line.ts';

/** Lines at the end that are looked at whenever it is opened. More than are ever on their way at the same time. */
const tailLines = 1000;

/** Lines that are read at a time. */
const slice = 10_000;

/** Hashes that it remembers to have written, so that whoever revokes a key again adds no second line. */
const mostRecent = 10_000;

/** What can be seen of the file without reading it all. */
export interface Look {
  lines: number;
  /** The hashes of the last 1000 lines, oldest first. */
  tail: string[];
}

/**
 * The file `dead-hashes`: a line for each hash that is dead, in the order in which they died. It only grows, and is
 * kept apart from the database, so that it knows of revokes which an older copy of the database does not. Hashes are
 * 64 hexadecimal digits here.
 */
export class DeadHashFile {
  readonly #path: string;
  /** Not on the disk yet, or not for certain; in the order in which they died. */
  readonly #owed = new Set<string>();
  /** On the disk: the last ones. */
  readonly #recent = new Set<string>();
  /** The group that is gathered while another one is written. */
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Counts the lines, reads the last ones, and cuts off what a crash left unfinished at the end: nobody was told that
   * it is there.
   *
   * @returns whether something was cut off, too
   * @throws {StartupError} 65 when a line before the end is damaged, 73 when the file cannot be used
   */
  look(): Promise<Look & { cut: boolean }> {
    return this.#alone(async () => {
      const file = await this.#open('r+');
      if (file === undefined) return { lines: 0, tail: [], cut: false };
      try {
        const { size } = await file.stat();
        const whole = Math.floor(size / lineLength);
        const first = Math.max(0, whole - tailLines);
        const read = await readLines(file, first, whole - first);
        while (read.length > 0 && read.at(-1) === undefined) read.pop();
        if (read.length === 0 && first > 0) throw this.#damaged(whole);
        const tail = read.map((hash, index) => hash ?? this.#refuseLine(first + index + 1));
        const lines = first + tail.length;
        const cut = lines * lineLength !== size;
        if (cut) await file.truncate(lines * lineLength);
        this.#remember(tail);
        return { lines, tail, cut };
      } finally {
        await file.close();
      }
    });
  }

  /**
   * All hashes, oldest first.
   *
   * @throws {StartupError} 65 when a line is damaged
   */
  all(): Promise<Set<string>> {
    return this.#alone(async () => (await this.#readAll()).hashes);
  }

  /**
   * Writes hashes that have no line yet. Resolves when they are on the disk; calls at the same time share one wait for
   * it. What fails is written with the next call, before its own.
   */
  add(hashes: Iterable<string>): Promise<void> {
    for (const hash of hashes) if (!this.#recent.has(hash)) this.#owed.add(hash);
    if (this.#owed.size === 0) return Promise.resolve();
    this.#next ??= this.#alone(() => this.#writeOwed());
    return this.#next;
  }

  /** Takes second lines of the same hash out, so that the number of lines can be compared with the database's. */
  async compact(): Promise<void> {
    await this.#alone(async () => {
      const { hashes, lines } = await this.#readAll();
      if (hashes.size === lines) return;
      const other = `${this.#path}.new`;
      const file = await open(other, 'w', 0o600);
      try {
        for (const hash of hashes) await file.appendFile(writeLine(hash));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(other, this.#path);
      await this.#syncDirectory();
    });
  }

  async #readAll(): Promise<{ hashes: Set<string>; lines: number }> {
    const hashes = new Set<string>();
    const file = await this.#open('r');
    if (file === undefined) return { hashes, lines: 0 };
    try {
      const lines = Math.floor((await file.stat()).size / lineLength);
      for (let first = 0; first < lines; first += slice) {
        const read = await readLines(file, first, Math.min(slice, lines - first));
        read.forEach((hash, index) => {
          hashes.add(hash ?? this.#refuseLine(first + index + 1));
        });
      }
      return { hashes, lines };
    } finally {
      await file.close();
    }
  }

  async #writeOwed(): Promise<void> {
    this.#next = undefined;
    const group = Array.from(this.#owed);
    if (group.length > 0) await this.#append(group.map(writeLine).join(''));
    this.#remember(group);
    for (const hash of group) this.#owed.delete(hash);
  }

  /** Opened anew each time: whoever moves the file away gets another one, and not lines in a file without a name. */
  async #append(text: string): Promise<void> {
    const file = await open(this.#path, 'a', 0o600);
    let size = 0;
    try {
      ({ size } = await file.stat());
      const whole = size - (size % lineLength);
      // Left by a write that failed half-way, as on a full disk.
      if (whole !== size) await file.truncate(whole);
      try {
        await file.appendFile(text);
        await file.datasync();
      } catch (error) {
        await file.truncate(whole).catch(() => undefined);
        throw error;
      }
    } finally {
      await file.close();
    }
    if (size === 0) await this.#syncDirectory();
  }

  #remember(hashes: readonly string[]): void {
    for (const hash of hashes) this.#recent.add(hash);
    for (const oldest of this.#recent) {
      if (this.#recent.size <= mostRecent) break;
      this.#recent.delete(oldest);
    }
  }

  /** One after another. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** A new name is on the disk only when its directory is. */
  async #syncDirectory(): Promise<void> {
    const directory = await open(dirname(this.#path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** @returns undefined when there is no file yet */
  async #open(flags: 'r' | 'r+'): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path, flags);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      const reason = error instanceof Error ? ` (${error.message})` : '';
      throw new StartupError(
        'cannotCreate',
        `The journal of dead keys ${this.#path} cannot be used${reason}. It must be a file that this user can write.`,
      );
    }
  }

  #refuseLine(line: number): never {
    throw this.#damaged(line);
  }

  /** Whoever lost a line here may have lost the only trace of a revoke, so nothing goes on by itself. */
  #damaged(line: number): StartupError {
    return new StartupError(
      'data',
      `The journal of dead keys ${this.#path} is damaged in line ${line}. Restore it from a copy. If the database is the newest one, and no backup of it, you may also move the file away: it is made anew from the database.`,
    );
  }
}

/** @returns a hash for each line; undefined for a damaged one */
async function readLines(file: FileHandle, first: number, count: number): Promise<(string | undefined)[]> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(count * lineLength),
    0,
    count * lineLength,
    first * lineLength,
  );
  const text = buffer.toString('latin1', 0, bytesRead);
  return Array.from({ length: count }, (_, index) =>
    readLine(text.slice(index * lineLength, (index + 1) * lineLength)),
  );
}
