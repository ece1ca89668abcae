/** Requests and responses of the key endpoints. */

import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { environmentSchema, revokeReasonSchema, storedScopeSchema } from './key-values.ts';
import { rateLimitSchema } from './rate-limits.ts';
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
    createdBy: z
      .string()
      .describe('The id of the account or key that created it; `operator` if a command imported it'),
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
