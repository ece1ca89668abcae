/** Limits of requests a minute. */
import { z } from 'zod';

/** What is said of every wrong one. */
const notARateLimit = 'must be a whole number between 1 and 1000000000, or "off"';

/** Requests a minute, or no limit at all. */
export const rateLimitSchema = z.union(
  [z.literal('off'), z.int(notARateLimit).min(1, notARateLimit).max(1_000_000_000, notARateLimit)],
  notARateLimit,
);
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** Where a key stands with its limit, as the X-RateLimit fields tell it. */
export const rateStandingSchema = z.object({
  limit: z.int().describe('Requests a minute'),
  remaining: z.int(),
  resetSeconds: z.int().describe('Seconds until more of it is free again'),
});
