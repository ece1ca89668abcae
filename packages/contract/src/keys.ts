/** Requests and responses of the key endpoints. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { nameSchema } from './names.ts';
import { rateLimitSchema } from './rate-limits.ts';
import { scopeSchema, storedScopeSchema } from './scopes.ts';

export const keyIdSchema = z.string().regex(/^key_[0-9a-hjkmnp-tv-z]{26}$/, 'is not the id of a key');

export const keySchema = z
  .object({
    id: keyIdSchema.describe('Time-ordered, not secret, and not made from the key'),
    name: z.string(),
    preview: z.string().describe('Prefix, first 3 and last 3 characters: sk_live_abc...xyz'),
    status: z.enum(['active', 'revoked', 'expired']),
    scopes: z.array(storedScopeSchema),
    createdAt: instantSchema,
    createdBy: z.string().describe('The id of the account, or of the key, that made it'),
    lastUsedAt: instantSchema
      .nullable()
      .describe('When a request with it was last accepted; null: never yet'),
    expiresAt: instantSchema.nullable(),
    revokedAt: instantSchema.nullable(),
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

/** The response of a revoke when the caller may not read the key. */
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
    lastUsedAt: instantSchema.nullable().describe('When a request with one of them was last accepted'),
  })
  .meta({ id: 'KeyDescendants' });
export type Descendants = z.infer<typeof descendantsSchema>;

/** Epoch ms. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export const createKeySchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(scopeSchema).max(10).optional().describe('Default: none'),
  expiresAt: z.iso
    .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T12:00:00Z' })
    // With a time zone offset, the instant can fall in the year 10000, which the response format cannot express.
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
export type CreatedKey = z.infer<typeof createdKeySchema>;

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

/** The response of a change when the caller may not read the key: the fields that were sent. */
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
