import { z } from 'zod';
import { isPrintable } from './visible-text.ts';

const printable = 'must not contain control or invisible characters';

/** In bytes of JSON. */
const maxMetadata = 2048;

export const metadataSchema = z
  .record(
    z
      .string()
      .min(1, 'must not be empty')
      .max(40, 'must have at most 40 characters')
      .refine(isPrintable, printable)
      // An object cannot hold it as an ordinary property.
      .refine((name) => name !== '__proto__', 'must have another name'),
    z.string().max(500, 'must have at most 500 characters').refine(isStorable, printable),
    // Otherwise zod only says that a name is invalid.
    { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) },
  )
  .refine((entries) => Object.keys(entries).length <= 50, 'must have at most 50 entries')
  .refine(
    (entries) => new TextEncoder().encode(JSON.stringify(entries)).length <= maxMetadata,
    `must have at most ${maxMetadata} bytes as JSON`,
  );
export type Metadata = z.infer<typeof metadataSchema>;

/** Values may have several lines. */
function isStorable(text: string): boolean {
  return isPrintable(text.replaceAll(/[\n\t]/g, ''));
}
