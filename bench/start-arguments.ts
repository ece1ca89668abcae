import { readFileSync } from 'node:fs';
import { z } from 'zod';

const manifestSchema = z.object({ scripts: z.object({ start: z.string() }) });

/** The arguments that `npm start` passes to Node, so that the figures apply to that command. */
export function startArguments(): string[] {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const words = manifestSchema.parse(JSON.parse(text)).scripts.start.split(' ');
  return words.slice(words.indexOf('node') + 1);
}

/** The arguments for Node itself. */
export const nodeFlags = startArguments().filter((word) => word.startsWith('--'));
