import { crc32 } from 'node:zlib';

/** Bytes of a line: 64 digits of the hash, a space, 8 digits of its CRC-32, and the end of the line. */
export const lineLength = 64 + 1 + 8 + 1;

const form = /^([0-9a-f]{64}) ([0-9a-f]{8})\n$/;

/** @param hash as 64 hexadecimal digits */
export function writeLine(hash: string): string {
  return `${hash} ${checksum(hash)}\n`;
}

/** The hash of a line; undefined when the line is damaged. */
export function readLine(line: string): string | undefined {
  const [, hash, sum] = form.exec(line) ?? [];
  return hash !== undefined && sum === checksum(hash) ? hash : undefined;
}

/** The hash of each line of a text; undefined for a damaged one, or one that is not there. */
export function readLines(text: string, count: number): (string | undefined)[] {
  return Array.from({ length: count }, (_, index) =>
    readLine(text.slice(index * lineLength, (index + 1) * lineLength)),
  );
}

function checksum(hash: string): string {
  return crc32(hash).toString(16).padStart(8, '0');
}
