import { readFile, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { errorCodeOf } from '../error-code.ts';
import { damagedJournal } from './errors.ts';
import type { TextJournalState } from './record.ts';

/** Length of a line, in bytes: 64 hexadecimal digits of the hash, a space, 8 digits of its CRC-32, and the newline. */
const lineLength = 64 + 1 + 8 + 1;

/** @returns undefined if there is no such file */
export async function textJournalState(path: string): Promise<TextJournalState | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, mtimeMs };
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Reads the journal of earlier versions. Soku never changes it, so that an earlier version can use it again.
 *
 * @returns the hashes, oldest first, without a last line that an interrupted write left incomplete
 * @throws {StartupError} 65 if a line is damaged
 */
export async function readTextJournal(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  let end = bytes.length;
  // A file system may extend a file before it writes the content.
  while (end > 0 && bytes[end - 1] === 0) end--;
  const hashes: string[] = [];
  for (let start = 0; start < end; start += lineLength) {
    const text = bytes.toString('latin1', start, Math.min(start + lineLength, end));
    const hash = text.slice(0, 64);
    const line = `${hash} ${crc32(hash).toString(16).padStart(8, '0')}\n`;
    // Only the last line can be shorter than the others.
    if (!/^[0-9a-f]*$/.test(hash) || !line.startsWith(text)) {
      throw damagedJournal(path, `line ${start / lineLength + 1}`);
    }
    // The last line may be complete except for its newline.
    if (text.length >= lineLength - 1) hashes.push(hash);
  }
  return hashes;
}
