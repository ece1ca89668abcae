/** Encodes pictures for the documentation: a screenshot has few colors, but a browser stores each pixel in full. */
import { crc32, deflateSync } from 'node:zlib';

interface Picture {
  width: number;
  height: number;
  /** Red, green and blue of each pixel, in rows from the top. */
  colors: Uint32Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A PNG with a palette of at most 256 colors. */
export function encodePng({ width, height, colors }: Picture): Buffer {
  const { palette, indexOf } = reduce(colors);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits for each pixel, which is an index into the palette.
  header.set([8, 3], 8);
  // Each row begins with the number of its filter, which is 0.
  const rows = Buffer.alloc(height * (width + 1));
  for (const [pixel, color] of colors.entries()) {
    rows[pixel + Math.floor(pixel / width) + 1] = indexOf.get(color) ?? 0;
  }
  return Buffer.concat([
    Buffer.from(signature),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(channelsOf))),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function reduce(colors: Uint32Array): { palette: number[]; indexOf: Map<number, number> } {
  const counts = new Map<number, number>();
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1);
  const ordered = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  let palette = ordered;
  for (let least = 1; palette.length > 256; least *= 2) palette = different(ordered, least);
  return { palette, indexOf: new Map(ordered.map((color) => [color, nearest(color, palette)])) };
}

/** The most frequent of similar colors. A rare color that is like no other one, such as that of a small dot, stays. */
function different(ordered: readonly number[], least: number): number[] {
  const kept: number[] = [];
  for (const color of ordered) if (kept.every((other) => distance(color, other) >= least)) kept.push(color);
  return kept;
}

function nearest(color: number, palette: readonly number[]): number {
  const distances = palette.map((other) => distance(color, other));
  return distances.indexOf(Math.min(...distances));
}

function distance(a: number, b: number): number {
  const [of, to] = [channelsOf(a), channelsOf(b)];
  return of.reduce((sum, value, channel) => sum + (value - (to[channel] ?? 0)) ** 2, 0);
}

function channelsOf(color: number): number[] {
  return [color >> 16, (color >> 8) & 255, color & 255];
}
