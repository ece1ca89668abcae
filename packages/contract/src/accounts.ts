/** What the endpoints of accounts take and return, outside those of the auth library. */
import { z } from 'zod';
import { nameSchema } from './names.ts';

/** Bounds of a password. 8 is the least that ASVS 5.0 6.2.1 allows; 128 keeps the hashing of one bounded. */
export const passwordLength = { min: 8, max: 128 };

export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address'));

export const passwordSchema = z
  .string()
  .min(passwordLength.min, `must have at least ${passwordLength.min} characters`)
  .max(passwordLength.max, `must have at most ${passwordLength.max} characters`);

/** POST /api/setup: makes the owner, once, for whoever holds the code that the first start printed. */
export const setupSchema = z.strictObject({
  code: z.string().min(1, 'must not be empty').max(200),
  name: nameSchema,
  email: emailSchema,
  password: passwordSchema,
});

/** As the auth library creates them, with room for others. PostgreSQL would fail at a NUL character. */
export const sessionIdSchema = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'is not the id of a session');

/** One item of GET /api/auth/list-sessions. Times are ISO 8601. */
export const browserSessionSchema = z.object({
  id: z.string(),
  current: z.boolean().describe('Whether it is the session that asks'),
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string(),
  ipAddress: z.string(),
  userAgent: z.string(),
});
export type BrowserSession = z.infer<typeof browserSessionSchema>;

/** The response of calls that end sessions. */
export const endedSchema = z.object({ status: z.boolean() });

/** GET /api/session: who is looking at the dashboard. Always 200, so that public pages can ask it too. */
export const sessionSchema = z
  .object({
    user: z.object({ id: z.string(), name: z.string(), email: z.string() }).nullable(),
    workspace: z.object({ id: z.string(), name: z.string() }).nullable(),
    setupNeeded: z.boolean().describe('No account exists yet'),
    publicUrl: z.string(),
    keyPrefix: z.string().describe('That of new keys'),
    keyPrefixes: z.array(z.string()).describe('All that are accepted'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof sessionSchema>;
