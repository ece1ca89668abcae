import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { codeOf } from '../code-of.ts';
import { syncDirectory } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { readEnd } from './end.ts';
import { lineLength, readLines, writeLine } from './line.ts';

/** Lines at the end that are looked at whenever it is opened. More than are ever on their way at the same time. */
const tailLines = 1000;

/** Lines that are read at a time: a few ms, for which verification waits. */
const slice = 2000;

/** Lines that are written at a time when the file is written anew. */
const writeSlice = 10_000;

/** Hashes that it remembers to have written, so that whoever revokes a key again adds no second line. */
const mostRecent = 10_000;

/** What can be seen of the file without reading it all. */
export interface Look {
  lines: number;
  /** The hashes of the last 1000 lines, oldest first. */
  tail: string[];
}

/** All of the file. */
interface Content {
  /** Oldest first. */
  hashes: Set<string>;
  /** As many as hashes, or more when a hash has a second one. */
  lines: number;
}

/**
 * The file `dead-hashes`: a line for each hash that is dead, in the order in which they died. It only grows, and is
 * kept apart from the database, so that it knows of revokes which an older copy of the database does not. Hashes are
 * 64 hexadecimal digits here.
 */
export class DeadHashFile {
  readonly #path: string;
  readonly #openFile: typeof open;
  readonly #syncDirectory: () => void;
  /** Not on the disk yet, or not for certain; in the order in which they died. */
  readonly #owed = new Set<string>();
  /** On the disk: the last ones. */
  readonly #recent = new Set<string>();
  /** The inode of the file whose name is on the disk. */
  #durableInode: number | undefined;
  /** The group that is gathered while another one is written. */
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param disk the file system's, but for tests of what waits for the disk */
  constructor(path: string, disk = { open, syncDirectory }) {
    this.#path = path;
    this.#openFile = disk.open;
    this.#syncDirectory = () => disk.syncDirectory(dirname(path));
  }

  /**
   * Counts the lines, reads the last ones, and cuts off what a crash left unfinished at the end: nobody was told that
   * it is there.
   *
   * @returns whether something was cut off, too
   * @throws {StartupError} 65 when one of the last lines is damaged, 73 when the file cannot be used
   */
  look(): Promise<Look & { cut: boolean }> {
    return this.#alone(async () => {
      const file = await this.#open('r+');
      if (file === undefined) return { lines: 0, tail: [], cut: false };
      try {
        const { size, ino } = await file.stat();
        const first = Math.max(0, Math.floor(size / lineLength) - tailLines);
        const { tail, cut } = await this.#mendEnd(file, first, size);
        // A process that was killed may have written lines that are not on the disk yet.
        await file.datasync();
        this.#syncDirectory();
        this.#durableInode = ino;
        // A thousand lines of which nothing is left are no unfinished write.
        if (tail.length === 0 && first > 0) throw this.#damaged(first + 1);
        this.#remember(tail);
        return { lines: first + tail.length, tail, cut };
      } finally {
        await file.close();
      }
    });
  }

  /**
   * All that is there at the moment. Whoever adds meanwhile does not wait for it.
   *
   * @throws {StartupError} 65 when a line is damaged
   */
  async all(signal?: AbortSignal): Promise<Content> {
    // What is on the disk stays where it is; only a write under way may still be taken back.
    const { file, lines } = await this.#alone(() => this.#openWhole());
    return this.#readAll(file, lines, signal);
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
      const { file: old, lines } = await this.#openWhole();
      const { hashes } = await this.#readAll(old, lines);
      if (hashes.size === lines) return;
      const other = `${this.#path}.new`;
      const file = await this.#openFile(other, 'w', 0o600);
      try {
        const all = Array.from(hashes);
        for (let first = 0; first < all.length; first += writeSlice) {
          const some = all.slice(first, first + writeSlice);
          await file.appendFile(some.map(writeLine).join(''));
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(other, this.#path);
      this.#syncDirectory();
    });
  }

  async #openWhole(): Promise<{ file: FileHandle | undefined; lines: number }> {
    const file = await this.#open('r');
    return { file, lines: file === undefined ? 0 : Math.floor((await file.stat()).size / lineLength) };
  }

  async #readAll(file: FileHandle | undefined, lines: number, signal?: AbortSignal): Promise<Content> {
    const hashes = new Set<string>();
    if (file === undefined) return { hashes, lines };
    try {
      for (let first = 0; first < lines; first += slice) {
        const end = Math.min(lines, first + slice);
        const read = readLines(await readText(file, first * lineLength, end * lineLength), end - first);
        read.forEach((hash, index) => {
          hashes.add(hash ?? this.#refuseLine(first + index + 1));
        });
        await setImmediate(undefined, { signal });
      }
    } finally {
      await file.close();
    }
    return { hashes, lines };
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
    const file = await this.#openFile(this.#path, 'a+', 0o600);
    try {
      const { size, ino } = await file.stat();
      let whole = size;
      // Left by a write that failed half-way, as on a full disk.
      if (size % lineLength > 0) ({ whole } = await this.#mendEnd(file, Math.floor(size / lineLength), size));
      try {
        await file.appendFile(text);
        await file.datasync();
      } catch (error) {
        await file.truncate(whole).catch(() => undefined);
        throw error;
      }
      if (whole > 0 && ino === this.#durableInode) return;
      this.#syncDirectory();
      this.#durableInode = ino;
    } finally {
      await file.close();
    }
  }

  /**
   * Reads to the end, and leaves whole lines there.
   *
   * @param first the line to begin with, counted from 0
   * @returns the hashes, and how many bytes the file has now
   */
  async #mendEnd(
    file: FileHandle,
    first: number,
    size: number,
  ): Promise<{ tail: string[]; cut: boolean; whole: number }> {
    const { hashes, rest } = readEnd(await readText(file, first * lineLength, size));
    const tail = hashes.map((hash, index) => hash ?? this.#refuseLine(first + index + 1));
    const whole = (first + tail.length) * lineLength;
    if (rest === 'cut') await file.truncate(whole);
    if (rest === 'line') {
      await file.truncate(whole - 1);
      await file.write('\n', whole - 1);
    }
    return { tail, cut: rest === 'cut', whole };
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

  /** @returns undefined when there is no file yet */
  async #open(flags: 'r' | 'r+'): Promise<FileHandle | undefined> {
    try {
      return await this.#openFile(this.#path, flags);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
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

/** @param from and end in bytes */
async function readText(file: FileHandle, from: number, end: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
  return buffer.toString('latin1', 0, bytesRead);
}
