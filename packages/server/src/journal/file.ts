import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { codeOf } from '../code-of.ts';
import { replaceFile, syncDirectory, syncFile } from '../durable-files.ts';
import { damagedJournal, unusableJournal } from './errors.ts';
import * as format from './record.ts';
import { readTextJournal, textJournalState } from './text-journal.ts';

/** Records at the end that every start reads. */
const tailRecords = 1000;

/** Most hashes in one write. Appends that wait are joined, so there can be more of them. */
const mostHashes = 10_000;

/** Records of the largest write: a new file has a header, too. An interrupted write leaves no more than these. */
const largestWrite = mostHashes + 1;

/** Records at the end that every start looks at: all that it decodes, and all that an interrupted write can leave. */
const endRecords = tailRecords + largestWrite + 1;

/** Records that are decoded at a time: verification waits a few ms for each. */
const slice = 2000;

/** Hashes that are known to have a record, so that a repeated revoke adds no second one. */
const mostRecent = 10_000;

/** Identifies the file, and what this process has read or written of it. */
interface Known {
  ino: number;
  /** Bytes. */
  size: number;
}

/** What a start can read without decoding the whole file. */
export interface Inspection {
  /** Records. A hash that was revoked again by a later process may have two. */
  count: number;
  /** The hashes of the last 1000 records, oldest first. */
  tail: string[];
  /** Whether an interrupted write was cut off. */
  truncated: boolean;
}

/**
 * The file `revoked-hashes`: a header, then a record for each revoked hash, in the order of the revocations. It only
 * grows, and it is separate from the database, so that it has revocations that an older copy of the database lacks.
 * Hashes are 64 hexadecimal digits here.
 */
export class RevokedHashFile {
  readonly #path: string;
  readonly #textPath: string;
  readonly #replaced;
  readonly #disk;
  /** Not yet known to be on the disk; in the order of the revocations. */
  readonly #pending = new Set<string>();
  readonly #recent = new Set<string>();
  /** Undefined until the file is inspected or written. */
  #known: Known | undefined;
  /** The write that collects hashes while another one is under way. */
  #nextWrite: Promise<void> | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  /**
   * @param directory the data directory
   * @param replaced is called when a write finds that the file is not the one that this process left: it was moved
   *   away, replaced or changed, and may lack earlier hashes
   * @param disk the file system; a parameter for tests of what waits for the disk
   */
  constructor(
    directory: string,
    replaced: () => void = () => undefined,
    disk = { open, syncFile, syncDirectory },
  ) {
    this.#path = join(directory, 'revoked-hashes');
    this.#textPath = join(directory, 'dead-hashes');
    this.#replaced = replaced;
    this.#disk = disk;
  }

  /**
   * Counts the records, decodes the last ones, cuts off what an interrupted write left at the end, and imports the
   * journal of an earlier version if that has changed since the last import. Call it before anything is appended.
   *
   * @throws {StartupError} 65 when one of the last records, or the journal to import, is damaged; 73 when a file cannot
   *   be used. The files stay as they are
   */
  async inspect(): Promise<Inspection> {
    try {
      return await this.#inspect();
    } catch (error) {
      throw unusableJournal(this.#path, error);
    }
  }

  /**
   * Decodes every record. Writes do not wait for it.
   *
   * @returns the hashes, oldest first
   * @throws {StartupError} 65 when a record is damaged
   */
  async readAll(signal?: AbortSignal): Promise<Set<string>> {
    const file = await this.#read();
    const end = Math.floor(file.length / format.recordLength);
    this.#decodeHeader(file, end);
    const hashes = new Set<string>();
    for (let first = 1; first < end; first += slice) {
      for (const hash of this.#decode(file, first, Math.min(end, first + slice))) hashes.add(hash);
      await setImmediate(undefined, { signal });
    }
    return hashes;
  }

  /**
   * Writes the hashes that have no record yet. Resolves when they are on the disk; calls at the same time share one
   * wait for it. Hashes of a failed write are written by the next call, before its own.
   */
  append(hashes: Iterable<string>): Promise<void> {
    for (const hash of hashes) this.#pending.add(hash);
    if (this.#pending.size === 0) return Promise.resolve();
    if (this.#nextWrite === undefined) {
      this.#nextWrite = this.#lastWrite.then(() => this.#writePending());
      this.#lastWrite = this.#nextWrite.catch(() => undefined);
    }
    return this.#nextWrite;
  }

  async #inspect(): Promise<Inspection> {
    const { ino, size, header, first, records } = await this.#readEnds();
    const end = first + format.countRecords(records);
    const torn = size - end * format.recordLength;
    if (torn > largestWrite * format.recordLength) {
      // The damage may start before the part that was read.
      throw damagedJournal(this.#path, `record ${format.countRecords(await this.#read())}`);
    }
    const imported = this.#decodeHeader(header, end);
    const tail = this.#decode(records, Math.max(1, end - tailRecords), end, first);
    if (torn > 0) await truncate(this.#path, end * format.recordLength);
    if (size > 0) {
      // A process that was killed may have written records that are not on the disk yet.
      this.#disk.syncFile(this.#path);
      this.#disk.syncDirectory(dirname(this.#path));
    }
    if (await this.#importTextJournal(imported)) return { ...(await this.#inspect()), truncated: torn > 0 };
    this.#known = { ino, size: end * format.recordLength };
    this.#addRecent(tail);
    return { count: Math.max(0, end - 1), tail, truncated: torn > 0 };
  }

  /** Reads the header and the end only: a million hashes take 36 MB, and every start does this. */
  async #readEnds(): Promise<Known & { header: Buffer; first: number; records: Buffer }> {
    const file = await open(this.#path, 'r').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return { ino: 0, size: 0, header: noBytes, first: 0, records: noBytes };
    try {
      const { ino, size } = await file.stat();
      const first = Math.max(0, Math.floor(size / format.recordLength) - endRecords);
      return {
        ino,
        size,
        header: await readBytes(file, 0, Math.min(size, format.recordLength)),
        first,
        records: await readBytes(file, first * format.recordLength, size),
      };
    } finally {
      await file.close();
    }
  }

  /** @returns whether there was something to import */
  async #importTextJournal(imported: format.TextJournalState): Promise<boolean> {
    const state = await textJournalState(this.#textPath);
    if (state === undefined) return false;
    if (state.size === imported.size && state.mtimeMs === imported.mtimeMs) return false;
    const hashes = await this.readAll();
    for (const hash of await readTextJournal(this.#textPath)) hashes.add(hash);
    const file = Buffer.concat([format.encodeHeader(state), format.encodeRecords(hashes)]);
    replaceFile(this.#path, file, 0o600);
    return true;
  }

  /** @returns no bytes when there is no file yet */
  async #read(): Promise<Buffer> {
    try {
      return await readFile(this.#path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return noBytes;
      throw error;
    }
  }

  /** @param offset the record with which the buffer begins */
  #decode(records: Buffer, first: number, end: number, offset = 0): string[] {
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => {
      const hash = format.decodeRecord(records, first + i - offset);
      if (hash === undefined) throw damagedJournal(this.#path, `record ${first + i}`);
      return hash.toString('hex');
    });
  }

  #decodeHeader(file: Buffer, end: number): format.TextJournalState {
    if (end === 0) return format.nothingImported;
    const header = format.decodeHeader(file);
    if (header === undefined) throw damagedJournal(this.#path, 'its header, or of a newer version');
    return header;
  }

  async #writePending(): Promise<void> {
    this.#nextWrite = undefined;
    const hashes = Array.from(this.#pending);
    for (let first = 0; first < hashes.length; first += mostHashes) {
      const some = hashes.slice(first, first + mostHashes);
      await this.#write(some);
      for (const hash of some) this.#pending.delete(hash);
    }
  }

  /** Opens the file each time: if it was moved away, records go into a new file, not into one without a name. */
  async #write(hashes: readonly string[]): Promise<void> {
    const file = await this.#disk.open(this.#path, 'a', 0o600);
    try {
      const { ino, size } = await file.stat();
      this.#compareWithKnown({ ino, size });
      const missing = hashes.filter((hash) => !this.#recent.has(hash));
      if (missing.length === 0) return;
      // The remainder of a failed write, such as on a full disk.
      const end = size - (size % format.recordLength);
      if (end < size) await file.truncate(end);
      this.#known = { ino, size: end };
      const isNew = end === 0;
      const records = format.encodeRecords(missing);
      const bytes = isNew ? Buffer.concat([format.encodeHeader(format.nothingImported), records]) : records;
      try {
        await file.appendFile(bytes);
        await file.datasync();
        if (isNew) this.#disk.syncDirectory(dirname(this.#path));
      } catch (error) {
        await file.truncate(end).catch(() => undefined);
        throw error;
      }
      this.#known = { ino, size: end + bytes.length };
      this.#addRecent(missing);
    } finally {
      await file.close();
    }
  }

  /** The hashes that are known to have a record have it in the known file only. */
  #compareWithKnown(found: Known): void {
    const known = this.#known;
    if (known === undefined) return;
    // A file that was missing or empty, and still is empty, lacks nothing.
    if (found.size === known.size && (found.size === 0 || found.ino === known.ino)) return;
    this.#recent.clear();
    this.#known = found;
    this.#replaced();
  }

  #addRecent(hashes: readonly string[]): void {
    if (this.#recent.size + hashes.length > mostRecent) this.#recent.clear();
    for (const hash of hashes) this.#recent.add(hash);
  }
}

const noBytes = Buffer.alloc(0);

/**
 * The bytes of a file from `first` to before `end`.
 *
 * @throws when the file is truncated while it is read: the missing part must not look like an interrupted write
 */
async function readBytes(file: FileHandle, first: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - first);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, first + done);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
