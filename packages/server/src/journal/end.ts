import { lineLength, readLine, readLines, writeLine } from './line.ts';

/** What the end of the file says: its lines, and what comes after the last whole one. */
interface End {
  /** A hash for each line; undefined for a damaged one. */
  hashes: (string | undefined)[];
  /**
   * - nothing: there is none
   * - cut: the beginning of a line, or bytes of 0. A crash leaves these of a write that nobody was told of
   * - line: a line that lacks nothing but its end
   */
  rest: 'nothing' | 'cut' | 'line';
}

/** A line whose hash is whole, and with it all that the rest of the line can be. */
const hashDigits = 64;

/**
 * Tells a write that did not come to its end from damage. Only what such a write can leave may be cut off: a damaged
 * line may be the only trace of a revoke.
 *
 * @param text from the beginning of a line to the end of the file
 */
export function readEnd(text: string): End {
  let end = text.length;
  // A file system that grew the file before it wrote it.
  while (end > 0 && text[end - 1] === '\0') end--;
  const whole = Math.floor(end / lineLength);
  const hashes = readLines(text, whole);
  const started = text.slice(whole * lineLength, end);
  const last = readLine(`${started}\n`);
  if (last !== undefined) return { hashes: [...hashes, last], rest: 'line' };
  if (!isBeginning(started)) return { hashes: [...hashes, undefined], rest: 'nothing' };
  return { hashes, rest: whole * lineLength === text.length ? 'nothing' : 'cut' };
}

function isBeginning(text: string): boolean {
  if (text.length < hashDigits) return /^[0-9a-f]*$/.test(text);
  return writeLine(text.slice(0, hashDigits)).startsWith(text);
}
