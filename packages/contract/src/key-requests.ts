/** Requests that create and change keys. Apart from keys.ts, because most pages of the dashboard send none. */

import { z } from 'zod';
import { allowedAddressesSchema } from './allowed-addresses.ts';
import { externalIdSchema, grantsSchema, requestTimeSchema } from './key-policy.ts';
import { environmentSchema } from './key-values.ts';
import { keySortSchema, sortOrderSchema, statusFilterSchema } from './keys.ts';
import { metadataSchema } from './metadata.ts';
import { nameSchema } from './names.ts';
import { rateLimitSchema } from './rate-limits.ts';
import { grantSchema } from './scopes.ts';

const rateLimitField = rateLimitSchema
  .nullable()
  .optional()
  .describe(
    'Requests per minute; null, the default: the limit of the workspace. A key cannot set more than its own limit. If its own limit is lower than the default, the new key gets that limit',
  );

export const createKeySchema = z.strictObject({
  name: nameSchema,
  scopes: grantsSchema.optional().describe('Default: none'),
  expiresAt: requestTimeSchema
    .nullable()
    .optional()
    .describe(
      'The key is rejected from this time on. Default, also for null: never, or the latest date that the workspace and a calling key allow',
    ),
  environment: environmentSchema
    .optional()
    .describe(
      'Default: that of the calling key, or live. `test` only if the operator has set a prefix for test keys',
    ),
  allowedAddresses: allowedAddressesSchema
    .optional()
    .describe(
      'IP addresses and CIDR blocks from which the key is accepted. Default: those of the calling key, or all',
    ),
  rateLimit: rateLimitField,
  externalId: externalIdSchema
    .nullable()
    .optional()
    .describe(
      'Your own id for the customer or system that has the key. Default: that of the calling key, or none',
    ),
  metadata: metadataSchema.nullable().optional(),
});
export type CreateKey = z.infer<typeof createKeySchema>;

export const changeKeySchema = z
  .strictObject({
    name: nameSchema.optional(),
    expiresAt: requestTimeSchema
      .nullable()
      .optional()
      .describe('null: never. People can also give an expired key a later date, so that it works again'),
    disabled: z.boolean().optional().describe('true: the key is rejected until it is enabled again'),
    scopes: grantsSchema.nullable().optional().describe('null: none'),
    allowedAddresses: allowedAddressesSchema.nullable().optional().describe('null or empty: all'),
    rateLimit: rateLimitSchema
      .nullable()
      .optional()
      .describe(
        'Requests per minute, from the next request on; null: the limit of the workspace. A key cannot set more than its own limit',
      ),
    externalId: externalIdSchema.nullable().optional(),
    metadata: metadataSchema.nullable().optional().describe('Replaces all entries; null: none'),
  })
  .refine((change) => Object.keys(change).length > 0, 'must contain a field to change');
export type ChangeKey = z.infer<typeof changeKeySchema>;

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
    .describe('Keys that this account or key created; `operator`: keys that a command imported'),
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
