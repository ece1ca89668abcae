/** Requests and responses of the usage endpoints of a key and of a workspace. */
import { z } from 'zod';
import { instantSchema, msPerDay, msPerHour } from './instant.ts';
import { keyIdSchema, keySchema } from './keys.ts';

/** The longest range of `?hours=`: 90 days. */
const maxUsageHours = 90 * 24;

const count = z.int().min(0);

export const usageQuerySchema = z.strictObject({
  hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxUsageHours)
    .default(24)
    .describe('Number of hours, including the current one'),
});

/** Rejected requests by error code. */
export const refusedBySchema = z
  .record(z.string(), count)
  .describe(
    'Rejected requests by error code. `other`: recorded by a version that did not store the code. Codes without requests are omitted',
  );
export type RefusedBy = z.infer<typeof refusedBySchema>;

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
    refusedBy: refusedBySchema,
    secrets: z
      .array(
        z.object({
          id: z.string().describe('The id of a secret of the key'),
          accepted: count.describe('Accepted requests with it, in all these hours'),
          lastUsed: lastUsedSchema
            .nullable()
            .describe('The last accepted request with it, however long ago; null: none yet'),
        }),
      )
      .describe('Each listed secret, newest first'),
    hours: z
      .array(z.object({ hour: instantSchema.describe('Start of the hour'), accepted: count, refused: count }))
      .describe('Every hour of the range, oldest first, including hours without requests'),
    lastUsed: lastUsedSchema
      .nullable()
      .describe('The last accepted request, however long ago; null: none yet'),
  })
  .meta({ id: 'KeyUsage' });
export type Usage = z.infer<typeof usageSchema>;

export const workspaceUsageQuerySchema = z.strictObject({
  dayStart: z.iso
    .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T00:00:00+01:00' })
    // A text that is not a time passes here, because it has its own message.
    .refine((text) => !(Date.parse(text) % msPerHour > 0), 'must be the start of an hour (UTC)')
    .optional()
    .describe(
      "When today began, such as midnight in the reader's time zone: the start of an hour, less than 25 hours ago. Default: midnight UTC",
    ),
});
export type WorkspaceUsageQuery = z.infer<typeof workspaceUsageQuerySchema>;

/** How long ago the current day may have begun, in ms: a day is 25 hours long when daylight saving time ends. */
export const maxDayLengthMs = msPerDay + msPerHour;

const totalShape = {
  accepted: count.describe('Accepted requests'),
  refused: count.describe('Rejected requests'),
  refusedBy: refusedBySchema,
};

export const usageDaySchema = z
  .object({
    from: instantSchema.describe('Start of the first hour'),
    to: instantSchema.describe('End of the last hour; exclusive'),
    ...totalShape,
    hours: z
      .array(z.object({ hour: instantSchema.describe('Start of the hour'), ...totalShape }))
      .describe('Every hour of the day, oldest first, including hours without requests'),
  })
  .meta({ id: 'UsageDay' });
export type UsageDay = z.infer<typeof usageDaySchema>;

export const rankedKeySchema = z
  .object({
    key: keySchema.pick({ id: true, name: true, preview: true, status: true }),
    ...totalShape,
  })
  .meta({ id: 'RankedKey' });
export type RankedKey = z.infer<typeof rankedKeySchema>;

/** How many keys each ranking has. */
export const maxRankedKeys = 10;

export const workspaceUsageSchema = z
  .object({
    today: usageDaySchema.describe('From dayStart to the end of the current hour'),
    yesterday: usageDaySchema.describe('The 24 hours before today'),
    busiest: z
      .array(rankedKeySchema)
      .max(maxRankedKeys)
      .describe('The keys with the most accepted requests in the last 24 hours, busiest first'),
    mostRefused: z
      .array(rankedKeySchema)
      .max(maxRankedKeys)
      .describe('The keys with the most rejected requests in the last 24 hours, most rejected first'),
  })
  .meta({ id: 'WorkspaceUsage' });
export type WorkspaceUsage = z.infer<typeof workspaceUsageSchema>;
