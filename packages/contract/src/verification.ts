/** Requests and responses of the endpoints that verify a key. */

import { z } from 'zod';
import { environmentSchema, storedScopeSchema } from './key-values.ts';

import { keyIdSchema, keySchema } from './keys.ts';
import { rateLimitStateSchema } from './rate-limits.ts';
import { maxScopes, scopeSchema } from './scopes.ts';

/** As long as a header can be, because the result must explain whatever the client sent. */
const sentKeySchema = z.string().max(16_384);

/** Maximum number of keys in one `POST /v1/verify`. */
export const maxKeysPerVerify = 100;

export const verifyKeySchema = z
  .strictObject({
    apiKey: sentKeySchema.optional().describe('The key as the client sent it, without the word Bearer'),
    apiKeys: z
      .array(sentKeySchema)
      .min(1)
      .max(maxKeysPerVerify)
      .optional()
      .describe('Instead of `apiKey`: several keys, each verified separately'),
    scopes: z.array(scopeSchema).max(maxScopes).optional().describe('The scopes that each key must have'),
    ip: z
      .union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address')
      .optional()
      .describe(
        'The IP address that the request came from. Keys with allowed addresses are rejected without it. It is recorded as "last used from", and invalid keys count against it',
      ),
  })
  .refine(({ apiKey, apiKeys }) => (apiKey === undefined) !== (apiKeys === undefined), {
    path: ['apiKey'],
    message: 'must be sent, or apiKeys instead, but not both',
  })
  .meta({ oneOf: [{ required: ['apiKey'] }, { required: ['apiKeys'] }] });

/** The query of a verification. Each parameter can only reject more keys. Others are ignored. */
export const verifyQuerySchema = z.object({
  scope: z
    .union([scopeSchema, z.array(scopeSchema).max(maxScopes)])
    .optional()
    .describe('A scope that the key must have. May be repeated: the key must have all of them'),
  environment: environmentSchema.optional().describe('The environment that the key must have'),
  workspace: z
    .string()
    .max(64)
    .optional()
    .describe('The id of the workspace whose keys are accepted. Other keys are `unknown_key`'),
});

const ofOwnWorkspace = 'Absent for a key of another workspace';

export const verificationSchema = z
  .object({
    valid: z.boolean(),
    code: z.string().describe('`valid`, or the code of the rejection'),
    message: z.string().optional().describe('For a rejection: what is wrong and what to do'),
    key: z
      .object({
        id: keyIdSchema,
        workspaceId: z.string(),
        name: z.string(),
        scopes: z.array(storedScopeSchema),
        environment: environmentSchema.optional().describe(ofOwnWorkspace),
        expiresAt: z.iso.datetime().nullable().optional().describe(ofOwnWorkspace),
        externalId: z.string().nullable().optional().describe(ofOwnWorkspace),
        metadata: z.record(z.string(), z.string()).optional().describe(ofOwnWorkspace),
      })
      .optional()
      .describe('Present only for a valid key'),
    rateLimit: rateLimitStateSchema
      .nullable()
      .optional()
      .describe('The rate limit state of a key that is valid or over its limit; null: no limit'),
    retryAfterSeconds: z.int().optional().describe('For `rate_limited`: seconds until a request is allowed'),
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
    limits: z.object({ rateLimit: rateLimitStateSchema.nullable().describe('null: no limit') }),
  })
  .meta({ id: 'Me' });
