import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { replaceFile, syncDirectory, syncFile } from '../durable-files.ts';
import { errorCodeOf } from '../error-code.ts';
import { damagedJournal, unusableJournal } from './errors.ts';
import * as format from './record.ts';
import { readTextJournal, textJournalState } from './text-journal.ts';

/** Number of records at the end that every start decodes. */
const tailRecords = 1000;

/** Maximum number of hashes in one write. Waiting appends are combined, so there can be more hashes than this. */
const maxHashes = 10_000;

/** Maximum number of records in one write, including the header of a new file. An interrupted write leaves no more. */
const maxWriteRecords = maxHashes + 1;

/** Records at the end that every start reads: those that it decodes, and those that an interrupted write can leave. */
const endRecords = tailRecords + maxWriteRecords + 1;

/** Records that are decoded at a time. Verification waits a few ms for each batch. */
const batchSize = 2000;

/** Maximum number of cached hashes that have a record, so that a repeated revoke adds no second one. */
const maxRecent = 10_000;

/** Identifies the file, and how much of it this process has read or written. */
interface Known {
  ino: number;
  /** Bytes. */
  size: number;
}

/** The information that a start reads without decoding the whole file. */
export interface Inspection {
  /** The number of records. A hash that a later process revoked again may have two. */
  count: number;
  /** The hashes of the last 1000 records, oldest first. */
  tail: string[];
  /** Whether the remains of an interrupted write were removed. */
  truncated: boolean;
}

/**
 * The file `revoked-hashes`: a header, then one record per revoked hash, in order of revocation. It only grows, and
 * it is separate from the database, so it contains revocations that an older copy of the database lacks. Hashes are 64
 * hexadecimal digits here.
 */
export class RevokedHashFile {
  readonly #path: string;
  readonly #textPath: string;
  readonly #replaced;
  readonly #disk;
  /** Hashes that may not be on disk yet, in order of revocation. */
  readonly #pending = new Set<string>();
  readonly #recent = new Set<string>();
  /** Undefined until the file is inspected or written. */
  #known: Known | undefined;
  /** The next write, which collects hashes while another write is in progress. */
  #nextWrite: Promise<void> | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  /**
   * @param directory the data directory
   * @param replaced called when a write finds that the file was moved away, replaced or changed by another process, so
   *   that it may lack earlier hashes
   * @param disk the file system; a parameter for tests
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
   * Counts the records, decodes the last ones, removes the remains of an interrupted write at the end, and imports the
   * journal of an earlier version if it has changed since the last import. Call it before the first append.
   *
   * @throws {StartupError} 65 if one of the last records, or the journal to import, is damaged; 73 if a file cannot be
   *   used. The files are unchanged then.
   */
  async inspect(): Promise<Inspection> {
    try {
      return await this.#inspect();
    } catch (error) {
      throw unusableJournal(this.#path, error);
    }
  }

  /**
   * Counts the records and decodes the last ones while the server runs. Unlike `inspect`, it changes nothing.
   *
   * @throws {StartupError} 65 if one of the last records is damaged, 73 if the file cannot be read
   */
  async peek(): Promise<Pick<Inspection, 'count' | 'tail'>> {
    try {
      await this.#lastWrite;
      const { header, first, records } = await this.#readEnds();
      // A write that has begun since then may have written a part of a record.
      const end = first + Math.floor(records.length / format.recordLength);
      this.#decodeHeader(header, end);
      const tail = this.#decode(records, Math.max(1, end - tailRecords), end, first);
      return { count: Math.max(0, end - 1), tail };
    } catch (error) {
      throw unusableJournal(this.#path, error);
    }
  }

  /**
   * Decodes every record. Writes do not wait for this.
   *
   * @returns the hashes, oldest first
   * @throws {StartupError} 65 if a record is damaged
   */
  async readAll(signal?: AbortSignal): Promise<Set<string>> {
    const file = await this.#read();
    const end = Math.floor(file.length / format.recordLength);
    this.#decodeHeader(file, end);
    const hashes = new Set<string>();
    for (let first = 1; first < end; first += batchSize) {
      for (const hash of this.#decode(file, first, Math.min(end, first + batchSize))) hashes.add(hash);
      await setImmediate(undefined, { signal });
    }
    return hashes;
  }

  /**
   * Writes the hashes that have no record yet. Resolves when they are on disk. Concurrent calls share one write and
   * sync. The next call writes the hashes of a failed write before its own.
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
    if (torn > maxWriteRecords * format.recordLength) {
      // The damage may start before the part that was read.
      throw damagedJournal(this.#path, `record ${format.countRecords(await this.#read())}`);
    }
    const imported = this.#decodeHeader(header, end);
    const tail = this.#decode(records, Math.max(1, end - tailRecords), end, first);
    if (torn > 0) await truncate(this.#path, end * format.recordLength);
    if (size > 0) {
      // A process that was killed may have written records that are not on disk yet.
      this.#disk.syncFile(this.#path);
      this.#disk.syncDirectory(dirname(this.#path));
    }
    if (await this.#importTextJournal(imported)) return { ...(await this.#inspect()), truncated: torn > 0 };
    this.#known = { ino, size: end * format.recordLength };
    this.#addRecent(tail);
    return { count: Math.max(0, end - 1), tail, truncated: torn > 0 };
  }

  /** Reads only the header and the end, because a million hashes take 36 MB and every start does this. */
  async #readEnds(): Promise<Known & { header: Buffer; first: number; records: Buffer }> {
    const file = await open(this.#path, 'r').catch((error: unknown) => {
      if (errorCodeOf(error) === 'ENOENT') return undefined;
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

  /** @returns whether there was anything to import */
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

  /** @returns an empty buffer if there is no file yet */
  async #read(): Promise<Buffer> {
    try {
      return await readFile(this.#path);
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return noBytes;
      throw error;
    }
  }

  /** @param offset the index of the first record in the buffer */
  #decode(records: Buffer, first: number, end: number, offset = 0): string[] {
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => {
      const hash = format.decodeRecord(records, first + i - offset);
      if (hash === undefined) throw damagedJournal(this.#path, `record ${first + i}`);
      return hash.toString('hex');
    });
  }

  #decodeHeader(file: Buffer, end: number): format.TextJournalState {
    if (end === 0) return format.noTextJournal;
    const header = format.decodeHeader(file);
    if (header === undefined) throw damagedJournal(this.#path, 'its header, or has a newer format');
    return header;
  }

  async #writePending(): Promise<void> {
    this.#nextWrite = undefined;
    const hashes = Array.from(this.#pending);
    for (let first = 0; first < hashes.length; first += maxHashes) {
      const batch = hashes.slice(first, first + maxHashes);
      await this.#write(batch);
      for (const hash of batch) this.#pending.delete(hash);
    }
  }

  /** Opens the file each time, so that records go to a new file, not to an unlinked one, if the file was moved away. */
  async #write(hashes: readonly string[]): Promise<void> {
    const file = await this.#disk.open(this.#path, 'a', 0o600);
    try {
      const { ino, size } = await file.stat();
      this.#compareWithKnown({ ino, size });
      const missing = hashes.filter((hash) => !this.#recent.has(hash));
      if (missing.length === 0) return;
      // Removes the remains of a failed write, such as on a full disk.
      const end = size - (size % format.recordLength);
      if (end < size) await file.truncate(end);
      this.#known = { ino, size: end };
      const isNew = end === 0;
      const records = format.encodeRecords(missing);
      const bytes = isNew ? Buffer.concat([format.encodeHeader(format.noTextJournal), records]) : records;
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

  /** Clears the cached hashes if the file has changed, because their records are only in the file that was known. */
  #compareWithKnown(found: Known): void {
    const known = this.#known;
    if (known === undefined) return;
    // A file that was missing or empty and is still empty lacks nothing.
    if (found.size === known.size && (found.size === 0 || found.ino === known.ino)) return;
    this.#recent.clear();
    this.#known = found;
    this.#replaced();
  }

  #addRecent(hashes: readonly string[]): void {
    if (this.#recent.size + hashes.length > maxRecent) this.#recent.clear();
    for (const hash of hashes) this.#recent.add(hash);
  }
}

const noBytes = Buffer.alloc(0);

/**
 * Reads the bytes of a file from `first` up to but not including `end`.
 *
 * @throws if the file is truncated during the read, because the missing part must not look like an interrupted write
 */
async function readBytes(file: FileHandle, first: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - first);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, first + done);
    if (bytesRead === 0) throw new Error('the file was truncated while it was being read');
    done += bytesRead;
  }
  return bytes;
}
