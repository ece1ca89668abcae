/** Requests and responses of the workspace endpoints. */
import { z } from 'zod';
import { rateLimitSchema } from './rate-limits.ts';

export const workspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    rateLimit: rateLimitSchema
      .nullable()
      .describe('Requests per minute for each key without its own limit; null: the default'),
    defaultRateLimit: rateLimitSchema.describe('The default limit of this deployment (SOKU_KEY_RATE_LIMIT)'),
  })
  .meta({ id: 'Workspace' });
export type Workspace = z.infer<typeof workspaceSchema>;

export const changeWorkspaceSchema = z.strictObject({
  rateLimit: rateLimitSchema
    .nullable()
    .describe('Requests per minute for each key without its own limit, from the next request on'),
});
export type ChangeWorkspace = z.infer<typeof changeWorkspaceSchema>;
