/** The secrets of a key. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';

/** How many of the newest secrets of a key are listed although they are retired. */
export const maxListedSecrets = 20;

/** A secret of a key: what a program sends. A rotation adds one, and retires the others. */
export const secretSchema = z
  .object({
    id: z.string().describe('`sec_` and 26 characters, not secret, and not derived from the key'),
    preview: z.string(),
    createdAt: instantSchema,
    retiresAt: instantSchema
      .nullable()
      .describe('It is rejected from this time on; null: never, or not before a newer secret is used'),
    retiredAt: instantSchema.nullable().describe('When it was retired; null: it may still be accepted'),
    graceSeconds: z
      .int()
      .nullable()
      .describe(
        'How long it is accepted after the first use of a newer secret; null: its end does not depend on that',
      ),
    lastUsedAt: instantSchema.nullable().describe('When a request with it was last accepted; null: never'),
  })
  .meta({ id: 'KeySecret' });
export type Secret = z.infer<typeof secretSchema>;
