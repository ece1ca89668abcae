import { readFileSync } from 'node:fs';
import { z } from 'zod';

const manifestSchema = z.object({ scripts: z.object({ start: z.string() }) });

/** What `npm start` gives to Node, so that the figures are those of the command that people run. */
export function startArguments(): string[] {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const words = manifestSchema.parse(JSON.parse(text)).scripts.start.split(' ');
  return words.slice(words.indexOf('node') + 1);
}

/** Of these, those for Node itself. */
export const nodeFlags = startArguments().filter((word) => word.startsWith('--'));
