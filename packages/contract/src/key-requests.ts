/** Requests that create and change keys. Apart from keys.ts, because most pages of the dashboard send none. */
import { z } from 'zod';
import { allowedAddressesSchema } from './allowed-addresses.ts';
import { environmentSchema, externalIdSchema, futureSchema, grantsSchema } from './key-policy.ts';
import { metadataSchema } from './metadata.ts';
import { nameSchema } from './names.ts';
import { rateLimitSchema } from './rate-limits.ts';

const rateLimitField = rateLimitSchema
  .nullable()
  .optional()
  .describe(
    'Requests per minute; null, the default: the limit of the workspace. A key cannot set more than its own limit. If its own limit is lower than the default, the new key gets that limit',
  );

export const createKeySchema = z.strictObject({
  name: nameSchema,
  scopes: grantsSchema.optional().describe('Default: none'),
  expiresAt: futureSchema
    .nullable()
    .optional()
    .describe(
      'The key is rejected from this time on. Default, also for null: never, or the latest date that the workspace and a calling key allow',
    ),
  environment: environmentSchema
    .optional()
    .describe('Default: live. `test` only if the operator has set a prefix for test keys'),
  allowedAddresses: allowedAddressesSchema
    .optional()
    .describe('IP addresses and CIDR blocks from which the key is accepted. Default: all'),
  rateLimit: rateLimitField,
  externalId: externalIdSchema.nullable().optional(),
  metadata: metadataSchema.nullable().optional(),
});
export type CreateKey = z.infer<typeof createKeySchema>;

export const changeKeySchema = z
  .strictObject({
    name: nameSchema.optional(),
    expiresAt: futureSchema
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
