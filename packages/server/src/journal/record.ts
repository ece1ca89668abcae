import { crc32 } from 'node:zlib';

/** Content of a record, in bytes: a SHA-256 hash. */
const contentLength = 32;

/** Length of a record, in bytes: its content, then the CRC-32 of the content, most significant byte first. */
export const recordLength = contentLength + 4;

function encodeRecord(content: Uint8Array): Buffer {
  const record = Buffer.alloc(recordLength);
  record.set(content);
  record.writeUInt32BE(crc32(content), contentLength);
  return record;
}

/** @param hashes 64 hexadecimal digits each */
export function encodeRecords(hashes: Iterable<string>): Buffer {
  return Buffer.concat(Array.from(hashes, (hash) => encodeRecord(Buffer.from(hash, 'hex'))));
}

/**
 * @param index the index of the record; the header of the file is record 0
 * @returns the content of a record; undefined if the record is damaged or incomplete
 */
export function decodeRecord(file: Buffer, index: number): Buffer | undefined {
  const record = file.subarray(index * recordLength, (index + 1) * recordLength);
  if (record.length < recordLength) return undefined;
  const content = record.subarray(0, contentLength);
  return crc32(content) === record.readUInt32BE(contentLength) ? content : undefined;
}

/**
 * Counts the complete records, including damaged ones, which may be the only trace of a revocation. After them, an
 * interrupted write leaves a partial record, zeros, or both, because a file system may extend a file before it writes
 * the content.
 */
export function countRecords(file: Buffer): number {
  let written = file.length;
  while (written > 0 && file[written - 1] === 0) written--;
  const count = Math.floor(written / recordLength);
  // The checksum of the last record may end in zeros.
  return decodeRecord(file, count) === undefined ? count : count + 1;
}

/** Identifies a state of the text journal, which earlier versions write. */
export interface TextJournalState {
  /** Bytes. */
  size: number;
  /** Epoch ms, with a fraction. */
  mtimeMs: number;
}

export const noTextJournal: TextJournalState = { size: 0, mtimeMs: 0 };

/** The last byte is the format version. */
const signature = Buffer.from('soku revocation\x01', 'latin1');

/** @param imported the state of the text journal whose hashes were imported into the file */
export function encodeHeader({ size, mtimeMs }: TextJournalState): Buffer {
  const content = Buffer.alloc(contentLength);
  content.set(signature);
  content.writeDoubleBE(size, 16);
  content.writeDoubleBE(mtimeMs, 24);
  return encodeRecord(content);
}

/** @returns undefined if the header is damaged, or has another format version */
export function decodeHeader(file: Buffer): TextJournalState | undefined {
  const content = decodeRecord(file, 0);
  if (content === undefined || !content.subarray(0, signature.length).equals(signature)) return undefined;
  return { size: content.readDoubleBE(16), mtimeMs: content.readDoubleBE(24) };
}
