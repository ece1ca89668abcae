/** Requests and responses of the endpoints that verify a key. */
import { z } from 'zod';
import { keyIdSchema, keySchema } from './keys.ts';
import { rateStandingSchema } from './rate-limits.ts';
import { scopeSchema, storedScopeSchema } from './scopes.ts';

export const verifyKeySchema = z.strictObject({
  // As long as a header can be: the result must explain what the client sent, however long it is.
  apiKey: z.string().max(16_384).describe('The key as it was sent, without the word Bearer'),
  scopes: z.array(scopeSchema).max(10).optional().describe('The scopes that the key must have'),
  ip: z
    .union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address')
    .optional()
    .describe(
      'The address that the request came from. It is told as "last used from", and unknown keys are limited by it',
    ),
});

export const verificationSchema = z
  .object({
    valid: z.boolean(),
    code: z.string().describe('`valid`, or the code of the refusal'),
    message: z.string().optional().describe('Of a refusal: what is wrong and what to do'),
    key: z
      .object({
        id: keyIdSchema,
        workspaceId: z.string(),
        name: z.string(),
        scopes: z.array(storedScopeSchema),
        expiresAt: z.iso.datetime().nullable().optional().describe('Absent of a key of another workspace'),
      })
      .optional()
      .describe('Only of a valid key'),
    rateLimit: rateStandingSchema
      .nullable()
      .optional()
      .describe('Where a key stands that is valid, or over its limit; null: no limit'),
    retryAfterSeconds: z.int().optional().describe('Of `rate_limited`: seconds until a request may pass'),
  })
  .meta({ id: 'Verification' });

/** GET /v1/me. */
export const meSchema = z
  .object({
    key: keySchema,
    workspace: z.object({ id: z.string(), name: z.string() }),
    limits: z.object({ rateLimit: rateStandingSchema.nullable().describe('null: there is no limit') }),
  })
  .meta({ id: 'Me' });
