/**
 * What the key endpoints take and give. The types, the OpenAPI document and the dashboard's client come from
 * here, so this file imports nothing but zod and rules of text: the dashboard bundles it.
 */
import { z } from 'zod';
import { isPrintable, isVisible } from './visible-text.ts';

/** Scopes that Soku itself understands. An ordinary key has none: it opens the API but manages nothing. */
export const scopeSchema = z.enum(['keys:read', 'keys:write', 'keys:verify']);
export type Scope = z.infer<typeof scopeSchema>;

export const keyIdSchema = z.string().regex(/^key_[0-9a-hjkmnp-tv-z]{26}$/, 'is not the id of a key');

/** What is said of every wrong one. */
const notARateLimit = 'must be a whole number between 1 and 1000000000, or "off"';

/** Requests a minute, or no limit at all. */
export const rateLimitSchema = z.union(
  [z.literal('off'), z.int(notARateLimit).min(1, notARateLimit).max(1_000_000_000, notARateLimit)],
  notARateLimit,
);
export type RateLimit = z.infer<typeof rateLimitSchema>;

const instant = z.iso.datetime().describe('ISO 8601, UTC');

export const keySchema = z
  .object({
    id: keyIdSchema.describe('Time-ordered, not secret, and not made from the key'),
    name: z.string(),
    preview: z.string().describe('Prefix, first 3 and last 3 characters: sk_live_abc...xyz'),
    status: z.enum(['active', 'revoked', 'expired']),
    scopes: z.array(scopeSchema),
    createdAt: instant,
    createdBy: z.string().describe('The id of the account, or of the key, that made it'),
    lastUsedAt: instant.nullable().describe('When a request with it was last accepted; null: never yet'),
    expiresAt: instant.nullable(),
    revokedAt: instant.nullable(),
    rateLimit: rateLimitSchema.nullable().describe('Requests a minute; null: the limit of the workspace'),
  })
  .meta({ id: 'Key' });
export type Key = z.infer<typeof keySchema>;

export const revokedKeySchema = keySchema
  .extend({
    revocation: z.object({
      effective: z.literal(true).describe('No server accepts the key any more'),
      nodes: z.int().min(1).describe('On how many servers: those that have said that they know'),
      waitedMs: z.int().min(0).describe('How long this call waited for the others, in ms'),
      descendants: z.int().min(0).describe('How many other keys this call revoked: with `descendants: true`'),
    }),
  })
  .meta({ id: 'RevokedKey' });
export type RevokedKey = z.infer<typeof revokedKeySchema>;

/** What a revoke returns to a key that may not read this one. */
export const keyRevocationSchema = revokedKeySchema
  .pick({ id: true, revocation: true })
  .extend({ status: z.literal('revoked') })
  .meta({ id: 'KeyRevocation' });
export type KeyRevocation = z.infer<typeof keyRevocationSchema>;

export const revokeKeySchema = z
  .strictObject({
    descendants: z
      .boolean()
      .default(false)
      .describe(
        'Also revoke the keys that this key created, those that they created, and so on: at most 10,000, all of them or none. Also when this key is already revoked',
      ),
  })
  .meta({ id: 'RevokeKey' });

export const descendantsSchema = z
  .object({
    count: z.int().min(0).describe('How many would be revoked with the key: all that are not revoked yet'),
    active: z.int().min(0).describe('How many of them have not expired'),
    accepted: z.int().min(0).describe('Requests with them that were accepted in the last 24 hours'),
    lastUsedAt: instant.nullable().describe('When a request with one of them was last accepted'),
  })
  .meta({ id: 'KeyDescendants' });
export type Descendants = z.infer<typeof descendantsSchema>;

/** The name of a key, a person or a workspace. */
export const nameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .refine((name) => [...name].length <= 100, 'must have at most 100 characters')
  .refine(isPrintable, 'must not contain control or invisible characters')
  .refine((name) => name === '' || isVisible(name), 'must have a visible character')
  .describe('1-100 characters after trimming');

/** Epoch ms. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export const createKeySchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(scopeSchema).max(10).optional().describe('Default: none'),
  expiresAt: z.iso
    .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T12:00:00Z' })
    // Behind a zone's offset the year can have five digits, which no answer could tell.
    .refine((text) => !(Date.parse(text) > lastInstant), 'must not be later than the year 9999')
    .nullable()
    .optional()
    .describe('From then on the key is refused. Default: never'),
  rateLimit: rateLimitSchema
    .nullable()
    .optional()
    .describe(
      'Requests a minute; null, the default: the limit of the workspace. A key cannot set more than it has itself, and hands on its own limit when that is lower',
    ),
});
export type CreateKey = z.infer<typeof createKeySchema>;

export const createdKeySchema = z
  .object({ apiKey: z.string().describe('The full key: in this answer and never again'), key: keySchema })
  .meta({ id: 'CreatedKey' });

export const changeKeySchema = z
  .strictObject({
    name: nameSchema.optional(),
    rateLimit: rateLimitSchema
      .nullable()
      .optional()
      .describe(
        'Requests a minute, from the next request on; null: the limit of the workspace. A key cannot set more than it has itself',
      ),
  })
  .refine((change) => Object.keys(change).length > 0, 'must have a name or a rateLimit');
export type ChangeKey = z.infer<typeof changeKeySchema>;

/** What a change returns to a key that may not read the changed one: the fields that were sent. */
export const keyChangeSchema = keySchema
  .pick({ id: true })
  .extend(keySchema.pick({ name: true, rateLimit: true }).partial().shape)
  .meta({ id: 'KeyChange' });
export type KeyChange = z.infer<typeof keyChangeSchema>;

export const statusFilterSchema = z.enum(['active', 'revoked', 'expired', 'all']);
export type StatusFilter = z.infer<typeof statusFilterSchema>;

export const listKeysSchema = z.strictObject({
  status: statusFilterSchema.optional().describe('Default: active; with hash: all'),
  q: z
    .string()
    .max(100)
    .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters')
    .optional()
    .describe(
      'Part of the name (case and accents do not matter), of the preview (sk_live_2ba, 2ba, ...ixy) or of the id (4 characters or more). Never a key: hash finds that',
    ),
  hash: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be the 64 hexadecimal digits of a SHA-256')
    .optional()
    .describe('SHA-256 of a whole key, prefix included: finds that key, whatever its status'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: keyIdSchema.optional().describe('nextCursor of the page before'),
  include: z
    .literal('counts')
    .optional()
    .describe('Also count the keys of each status (with the same q and hash)'),
});
export type ListKeys = z.infer<typeof listKeysSchema>;

export const keyListSchema = z
  .object({
    data: z.array(keySchema),
    nextCursor: keyIdSchema.nullable(),
    counts: z
      .object({ active: z.int(), revoked: z.int(), expired: z.int(), all: z.int() })
      .optional()
      .describe('Only with include=counts'),
  })
  .meta({ id: 'KeyList' });
export type KeyList = z.infer<typeof keyListSchema>;

/** Where a key stands with its limit, as the X-RateLimit fields tell it. */
export const rateStandingSchema = z.object({
  limit: z.int().describe('Requests a minute'),
  remaining: z.int(),
  resetSeconds: z.int().describe('Seconds until more of it is free again'),
});

export const meSchema = z
  .object({
    key: keySchema,
    workspace: z.object({ id: z.string(), name: z.string() }),
    limits: z.object({ rateLimit: rateStandingSchema.nullable().describe('null: there is no limit') }),
  })
  .meta({ id: 'Me' });

export const errorSchema = z
  .object({
    error: z.object({
      type: z.string(),
      code: z.string(),
      message: z.string(),
      timestamp: instant,
      requestId: z.string(),
      details: z
        .array(z.object({ path: z.string(), problem: z.string(), keyId: z.string().optional() }))
        .optional()
        .describe('One entry for each refused field; keyId is the key that idempotency_replayed speaks of'),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorSchema>;
