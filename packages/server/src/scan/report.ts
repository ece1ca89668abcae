import { relative } from 'node:path';
import { describeKey, describeObject, type Leak, type LeakPlace, sanitizeForOutput } from './leak.ts';

/**
 * One line for each place. No part of it contains more of the key than its preview.
 *
 * @param base the folder that paths are relative to
 */
export function formatText(leaks: readonly Leak[], prefixes: readonly string[], base: string): string {
  const lines = leaks.map((leak) => {
    const place = `${sanitizeForOutput(describePlace(leak.place, base), prefixes)}:${leak.line}:${leak.column}`;
    return `${place}: ${describeKey(leak, prefixes)}`;
  });
  return lines.join('\n');
}

function describePlace(place: LeakPlace, base: string): string {
  if (place.kind === 'input') return 'standard input';
  if (place.kind === 'file') return relative(base, place.path);
  return `${relative(base, place.repository.root) || '.'} ${describeObject(place.object)}`;
}
