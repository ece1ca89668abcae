/** Requests and responses of the usage endpoint of a key. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { keyIdSchema } from './keys.ts';

/** How long usage is kept (90 days), in hours. */
export const usageRetentionHours = 90 * 24;

const count = z.int().min(0);

export const usageQuerySchema = z.strictObject({
  hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(usageRetentionHours)
    .default(24)
    .describe('Number of hours, including the current one'),
});

const lastUsedSchema = z.object({
  at: instantSchema,
  address: z.string().describe('The IP address that the request came from'),
  userAgent: z.string().describe('At most 200 characters; empty if the request had none'),
});

export const usageSchema = z
  .object({
    keyId: keyIdSchema,
    from: instantSchema.describe('Start of the first hour'),
    to: instantSchema.describe('End of the last hour, which is the current one; exclusive'),
    accepted: count.describe('Accepted requests with this key, in all these hours'),
    refused: count.describe('Rejected requests with this key, in all these hours'),
    hours: z
      .array(z.object({ hour: instantSchema.describe('Start of the hour'), accepted: count, refused: count }))
      .describe('Every hour of the range, oldest first, including hours without requests'),
    lastUsed: lastUsedSchema
      .nullable()
      .describe('The last accepted request, however long ago; null: none yet'),
  })
  .meta({ id: 'KeyUsage' });
export type Usage = z.infer<typeof usageSchema>;
