/** Requests and responses of the endpoints that verify a key. */
import { z } from 'zod';
import { keyIdSchema, keySchema } from './keys.ts';
import { rateStandingSchema } from './rate-limits.ts';
import { scopeSchema, storedScopeSchema } from './scopes.ts';

/** As long as a header can be: the result must explain what the client sent, however long it is. */
const sentKeySchema = z.string().max(16_384);

/** Most keys of one `POST /v1/verify`. */
export const mostKeysAtOnce = 100;

export const verifyKeySchema = z
  .strictObject({
    apiKey: sentKeySchema.optional().describe('The key as it was sent, without the word Bearer'),
    apiKeys: z
      .array(sentKeySchema)
      .min(1)
      .max(mostKeysAtOnce)
      .optional()
      .describe('In place of `apiKey`: several keys, each answered as if it came alone'),
    scopes: z.array(scopeSchema).max(10).optional().describe('The scopes that each key must have'),
    ip: z
      .union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address')
      .optional()
      .describe(
        'The address that the request came from. It is told as "last used from", and unknown keys are limited by it',
      ),
  })
  .refine(({ apiKey, apiKeys }) => (apiKey === undefined) !== (apiKeys === undefined), {
    path: ['apiKey'],
    message: 'is needed, or apiKeys in its place, and not both',
  })
  .meta({ oneOf: [{ required: ['apiKey'] }, { required: ['apiKeys'] }] });

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

/** The response to `apiKeys`. */
export const verificationsSchema = z
  .object({ data: z.array(verificationSchema).describe('In the order of `apiKeys`') })
  .meta({ id: 'Verifications' });

/** GET /v1/me. */
export const meSchema = z
  .object({
    key: keySchema,
    workspace: z.object({ id: z.string(), name: z.string() }),
    limits: z.object({ rateLimit: rateStandingSchema.nullable().describe('null: there is no limit') }),
  })
  .meta({ id: 'Me' });
