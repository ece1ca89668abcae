/** Requests and responses of the account endpoints, except those of the auth library. */
import { z } from 'zod';

/** Length of a password. ASVS 5.0 6.2.1 requires at least 8 characters; the maximum bounds the time to hash one. */
export const passwordLength = { min: 8, max: 128 };

export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an email address'));

export const passwordSchema = z
  .string()
  .min(passwordLength.min, `must have at least ${passwordLength.min} characters`)
  .max(passwordLength.max, `must have at most ${passwordLength.max} characters`);

/** Accepts more than the ids that the auth library creates, but no NUL character, which PostgreSQL cannot store. */
export const sessionIdSchema = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'must be a session id');

/** One item of GET /api/auth/list-sessions. Times are ISO 8601. */
export const browserSessionSchema = z.object({
  id: z.string(),
  current: z.boolean().describe('Whether this session made the request'),
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string(),
  ipAddress: z.string(),
  userAgent: z.string(),
});
export type BrowserSession = z.infer<typeof browserSessionSchema>;

/** The response to calls that end sessions. */
export const sessionsEndedSchema = z.object({ status: z.boolean() });

/** GET /api/session: the signed-in user, if any. Always 200, because public pages also call it. */
export const sessionSchema = z
  .object({
    user: z.object({ id: z.string(), name: z.string(), email: z.string() }).nullable(),
    workspace: z.object({ id: z.string(), name: z.string() }).nullable(),
    setupNeeded: z.boolean().describe('No account exists yet'),
    publicUrl: z.string(),
    keyPrefix: z.string().describe('The prefix of new keys'),
    keyPrefixes: z.array(z.string()).describe('All accepted prefixes'),
    testKeyPrefix: z.string().nullable().describe('The prefix of new test keys; null: every key is live'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof sessionSchema>;
