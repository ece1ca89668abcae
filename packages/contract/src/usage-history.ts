/** Requests and responses of the usage history of a key and of a workspace. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { refusedBySchema } from './usage.ts';

/** The longest time for which usage can be kept, in days. */
export const maxUsageDays = 3660;

/** The longest range of hours: 31 days. */
const maxHistoryHours = 31 * 24;

/** The longest range that is returned by the hour, in hours: 100 days. */
export const maxHourPeriods = 100 * 24;

/** How many addresses, and how many programs, are listed by name. */
export const maxListedClients = 20;

const count = z.int().min(0);

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const usageHistoryQuerySchema = z.strictObject({
  hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxHistoryHours)
    .optional()
    .describe('Number of hours, including the current one. Not together with `days`'),
  days: z
    .union([z.literal('all'), z.coerce.number().int().min(1).max(maxUsageDays)])
    .optional()
    .describe(
      'Number of calendar days, including today, or `all`. At most as many as usage is kept. Default: 30, if there is no `hours`',
    ),
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
    .default('UTC')
    .describe(
      'The time zone whose days are counted. A day begins with the first hour (UTC) that begins in it, so it has 23 or 25 hours when clocks change',
    ),
  by: z
    .enum(['hour', 'day'])
    .optional()
    .describe(
      `The length of a period. Default: \`hour\` for at most seven days, otherwise \`day\`. By hour, a range has at most ${maxHourPeriods} hours`,
    ),
});
export type UsageHistoryQuery = z.infer<typeof usageHistoryQuerySchema>;

export const usageCsvQuerySchema = usageHistoryQuerySchema.extend({
  table: z
    .enum(['requests', 'clients'])
    .default('requests')
    .describe('`requests`: the requests of each period. `clients`: the addresses and programs'),
});

const totalShape = {
  accepted: count.describe('Accepted requests'),
  refused: count.describe('Rejected requests'),
  refusedBy: refusedBySchema,
};

const clientSchema = z.object({
  name: z
    .string()
    .describe('An IP address, or a program such as `curl/8.5.0`; empty if the request named none'),
  requests: count.describe('Estimated number of accepted requests'),
});

const clientsSchema = z
  .array(clientSchema)
  .max(maxListedClients)
  .describe('The ones with the most requests, in descending order');

export const usageHistorySchema = z
  .object({
    from: instantSchema.describe('Start of the first period'),
    to: instantSchema.describe('End of the current hour; exclusive'),
    retentionDays: count.describe('For how many days usage is kept'),
    ...totalShape,
    by: z.enum(['hour', 'day']),
    periods: z
      .array(
        z.object({
          from: instantSchema.describe('Start of the hour or day'),
          to: instantSchema.describe('Its end; exclusive'),
          ...totalShape,
        }),
      )
      .describe('Every hour or day of the range, oldest first, including those without requests'),
    clients: z
      .object({
        from: instantSchema.describe('Start of the first day (UTC)'),
        to: instantSchema.describe('End of the last day (UTC); exclusive'),
        sampling: z.int().describe('One of this many accepted requests is sampled'),
        addresses: clientsSchema,
        otherAddresses: count.describe('Estimated number of accepted requests from all other addresses'),
        programs: clientsSchema,
        otherPrograms: count.describe('Estimated number of accepted requests by all other programs'),
      })
      .describe(
        'Where accepted requests came from, and the program (first product of `User-Agent`) that sent them, on all UTC days that the range touches. Sampled: the numbers are estimates. With several servers, those of other servers are up to a minute old',
      ),
  })
  .meta({ id: 'UsageHistory' });
export type UsageHistory = z.infer<typeof usageHistorySchema>;
