/** Requests and responses of the workspace endpoints. */
import { z } from 'zod';
import { rateLimitSchema } from './rate-limits.ts';

const daysSchema = z
  .int('must be a whole number of days')
  .min(1, 'must be between 1 and 3650 days')
  .max(3650, 'must be between 1 and 3650 days');

export const workspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    rateLimit: rateLimitSchema
      .nullable()
      .describe('Requests per minute for each key without its own limit; null: the default'),
    maxKeyLifetimeDays: daysSchema
      .nullable()
      .describe('Days within which each new key must expire; null: no maximum'),
    maxSecretAgeDays: daysSchema
      .nullable()
      .describe(
        'Days after which a key should be rotated; older ones are listed by GET /v1/hygiene. null: no maximum',
      ),
    maxKeyIdleDays: daysSchema
      .nullable()
      .describe('Days without a use after which a key is disabled, after two warnings; null: no key is'),
    requireKeyExpiry: z.boolean().describe('Whether new keys must have an expiration date'),
    revokeLeakedKeys: z
      .boolean()
      .describe(
        'Whether a key is revoked when GitHub reports that it leaked. If the reported secret is not its newest one, only this secret is retired',
      ),
    defaultRateLimit: rateLimitSchema.describe('The default limit of this deployment (SOKU_KEY_RATE_LIMIT)'),
  })
  .meta({ id: 'Workspace' });
export type Workspace = z.infer<typeof workspaceSchema>;

export const changeWorkspaceSchema = z
  .strictObject({
    rateLimit: rateLimitSchema
      .nullable()
      .optional()
      .describe('Requests per minute for each key without its own limit, from the next request on'),
    maxKeyLifetimeDays: daysSchema
      .nullable()
      .optional()
      .describe('Applies to keys that are created, and expiration dates that are set, from now on'),
    maxSecretAgeDays: daysSchema.nullable().optional(),
    maxKeyIdleDays: daysSchema
      .nullable()
      .optional()
      .describe('Applies to all keys. Each gets two warnings before it is disabled'),
    requireKeyExpiry: z
      .boolean()
      .optional()
      .describe('Applies to keys that are created, and expiration dates that are set, from now on'),
    revokeLeakedKeys: z.boolean().optional().describe('Applies to reports from now on'),
  })
  .refine((change) => Object.keys(change).length > 0, 'must contain a field to change');
export type ChangeWorkspace = z.infer<typeof changeWorkspaceSchema>;
