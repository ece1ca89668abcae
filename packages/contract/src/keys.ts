/** Requests and responses of the key endpoints. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { environmentSchema, externalIdSchema, revokeReasonSchema } from './key-policy.ts';
import { rateLimitSchema } from './rate-limits.ts';
import { grantSchema, storedScopeSchema } from './scopes.ts';
import { maxListedSecrets, secretSchema } from './secrets.ts';

export const keyIdSchema = z.string().regex(/^key_[0-9a-hjkmnp-tv-z]{26}$/, 'must be a key id');

export const keySchema = z
  .object({
    id: keyIdSchema.describe('Time-ordered, not secret, and not derived from the key'),
    name: z.string(),
    preview: z.string().describe('Prefix, first 3 and last 3 characters: sk_live_abc...xyz'),
    status: z
      .enum(['active', 'disabled', 'expired', 'revoked'])
      .describe('If several apply, the last one in this order'),
    environment: environmentSchema,
    scopes: z.array(storedScopeSchema),
    createdAt: instantSchema,
    createdBy: z.string().describe('The id of the account or key that created it'),
    lastUsedAt: instantSchema.nullable().describe('When a request with it was last accepted; null: never'),
    expiresAt: instantSchema.nullable(),
    disabledAt: instantSchema.nullable().describe('While it is set, the key is rejected'),
    revokedAt: instantSchema.nullable(),
    revokedReason: revokeReasonSchema.nullable(),
    allowedAddresses: z
      .array(z.string())
      .describe(
        'IP addresses and CIDR blocks from which the key is accepted, in canonical form; empty: from all',
      ),
    rateLimit: rateLimitSchema.nullable().describe('Requests per minute; null: the limit of the workspace'),
    externalId: z.string().nullable().describe('Your own id for the customer or system that has the key'),
    metadata: z.record(z.string(), z.string()).describe('Your own data'),
    secrets: z
      .array(secretSchema)
      .describe(
        `Newest first: all that are not retired, and the retired ones among the newest ${maxListedSecrets}`,
      ),
  })
  .meta({ id: 'Key' });
export type Key = z.infer<typeof keySchema>;

export const createdKeySchema = z
  .object({ apiKey: z.string().describe('The full key. Only this response contains it'), key: keySchema })
  .meta({ id: 'CreatedKey' });
export type CreatedKey = z.infer<typeof createdKeySchema>;

/** The response to a change when the caller may not read the key: the fields that were sent. */
export const keyChangeSchema = keySchema
  .pick({ id: true })
  .extend(
    keySchema
      .pick({
        name: true,
        expiresAt: true,
        scopes: true,
        allowedAddresses: true,
        rateLimit: true,
        externalId: true,
        metadata: true,
      })
      .partial().shape,
  )
  .extend({ disabled: z.boolean().optional() })
  .meta({ id: 'KeyChange' });
export type KeyChange = z.infer<typeof keyChangeSchema>;

export const statusFilterSchema = z.enum(['active', 'disabled', 'revoked', 'expired', 'all']);
export type StatusFilter = z.infer<typeof statusFilterSchema>;

export const keySortSchema = z.enum(['created', 'name', 'lastUsed', 'expires', 'preview', 'usage', 'status']);
export type KeySort = z.infer<typeof keySortSchema>;

export const sortOrderSchema = z.enum(['asc', 'desc']);
export type SortOrder = z.infer<typeof sortOrderSchema>;

/** The order of a list that names only its sort. */
export const defaultOrders: Readonly<Record<KeySort, SortOrder>> = {
  created: 'desc',
  name: 'asc',
  lastUsed: 'desc',
  expires: 'asc',
  preview: 'asc',
  usage: 'desc',
  status: 'asc',
};

const days = z.coerce.number().int().min(1).max(3650);

export const listKeysSchema = z.strictObject({
  status: statusFilterSchema
    .optional()
    .describe('Default: active; with hash: all. `active` includes the disabled keys that have not expired'),
  q: z
    .string()
    .max(100)
    .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters')
    .optional()
    .describe(
      'Part of the name (ignoring case and accents), of the preview (sk_live_2ba, 2ba, ...ixy) or of the id (4 characters or more). Never send a key here; use hash to find one',
    ),
  hash: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be a SHA-256 of 64 hexadecimal digits')
    .optional()
    .describe(
      'SHA-256 of a whole key, including its prefix: finds the key of this workspace with this secret in any status, even if the secret was retired by a rotation',
    ),
  createdBy: z
    .string()
    .regex(/^[!-~]{1,64}$/, 'must be the id of an account or a key')
    .optional()
    .describe('Keys that this account or key created'),
  scope: grantSchema.optional().describe('Keys that hold exactly this scope or wildcard'),
  environment: environmentSchema.optional(),
  externalId: externalIdSchema.optional(),
  rotating: z
    .literal('true')
    .optional()
    .describe('Keys with an older secret that a rotation has not ended yet, in any status'),
  unusedDays: days
    .optional()
    .describe(
      'Keys created at least this many days ago that have had no accepted request since then. A use can count for up to five minutes longer',
    ),
  expiresWithinDays: days.optional().describe('Keys that have not expired and expire within this many days'),
  sort: keySortSchema
    .default('created')
    .describe(
      '`name` ignores case and accents. `lastUsed` compares the five minutes in which the keys were last used, and sorts the keys of each page exactly. Keys that were never used, or that never expire, are last in both orders. `preview` compares bytes, so digits come before uppercase letters, and uppercase letters before lowercase ones. `usage` compares the accepted requests of the last 24 hours, as they were when the first page was read; keys without any follow in the order of their last use, in both orders. `status` is active, expired, revoked, as it was when the first page was read',
    ),
  order: sortOrderSchema
    .optional()
    .describe('Default: desc for created, lastUsed and usage, asc for name, expires, preview and status'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .regex(/^[\w-]{1,6000}$/, 'must be the nextCursor of the previous page')
    .optional()
    .describe('nextCursor of the previous page, with the same sort and order'),
  include: z
    .enum(['counts', 'usage', 'counts,usage', 'usage,counts'])
    .optional()
    .describe(
      '`counts`: also count the keys in each status (with the same filters). `usage`: also return the usage of each key in the last 24 hours',
    ),
});
export type ListKeys = z.infer<typeof listKeysSchema>;

export const recentUsageSchema = z
  .object({
    accepted: z.int().min(0).describe('Accepted requests with this key'),
    refused: z.int().min(0).describe('Rejected requests with this key'),
  })
  .meta({ id: 'RecentUsage' });
export type RecentUsage = z.infer<typeof recentUsageSchema>;

export const listedKeySchema = keySchema
  .extend({
    usage: recentUsageSchema
      .optional()
      .describe('In the last 24 hours, including the current one. Only with include=usage'),
  })
  .meta({ id: 'ListedKey' });
export type ListedKey = z.infer<typeof listedKeySchema>;

export const keyListSchema = z
  .object({
    data: z.array(listedKeySchema),
    nextCursor: z.string().nullable().describe('null: this is the last page'),
    counts: z
      .object({ active: z.int(), disabled: z.int(), revoked: z.int(), expired: z.int(), all: z.int() })
      .optional()
      .describe('Only with include=counts. `active` includes `disabled`'),
  })
  .meta({ id: 'KeyList' });
export type KeyList = z.infer<typeof keyListSchema>;
