/** Requests and responses of the usage endpoint of a key. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { keyIdSchema } from './keys.ts';

/** How long usage is kept, in hours: 90 days. */
export const keptHours = 90 * 24;

const count = z.int().min(0);

export const usageQuerySchema = z.strictObject({
  hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(keptHours)
    .default(24)
    .describe('How many hours back, the current one included'),
});

const lastUsedSchema = z.object({
  at: instantSchema,
  address: z.string().describe('The address that the request came from'),
  userAgent: z.string().describe('At most 200 characters; empty when the request named none'),
});

export const usageSchema = z
  .object({
    keyId: keyIdSchema,
    from: instantSchema.describe('Start of the first hour'),
    to: instantSchema.describe('End of the last hour, which is the current one; not included'),
    accepted: count.describe('Requests with this key that were accepted, in all these hours'),
    refused: count.describe('Requests with this key that were refused although it is known here'),
    hours: z
      .array(z.object({ hour: instantSchema.describe('Its start'), accepted: count, refused: count }))
      .describe('Every hour of the range, oldest first, also those without a request'),
    lastUsed: lastUsedSchema
      .nullable()
      .describe('The last accepted request, however long ago; null: there was none yet'),
  })
  .meta({ id: 'KeyUsage' });
export type Usage = z.infer<typeof usageSchema>;
