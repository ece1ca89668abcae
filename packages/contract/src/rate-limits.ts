/** Rate limits, in requests per minute. */
import { z } from 'zod';

/** The message for every invalid limit. */
const notARateLimit = 'must be a whole number between 1 and 1000000000, or "off"';

/** Requests per minute, or no limit. */
export const rateLimitSchema = z.union(
  [z.literal('off'), z.int(notARateLimit).min(1, notARateLimit).max(1_000_000_000, notARateLimit)],
  notARateLimit,
);
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** The state of a key's rate limit, as in the X-RateLimit headers. */
export const rateLimitStateSchema = z.object({
  limit: z.int().describe('Requests per minute'),
  remaining: z.int(),
  resetSeconds: z.int().describe('Seconds until more requests are allowed'),
});
